"""The part of a graph that constants alone decide, run once where it may die.

A runtime is free to compute this part while a session opens, or at the first run. Whatever it
costs there is found out here, under a memory limit and a deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.formats.session_faults import faults
from studio.graph.protos import inner_inputs, subgraphs_of

if TYPE_CHECKING:
    import onnx

MAKERS = frozenset(
    {
        "ConstantOfShape", "Range", "Expand", "Tile", "Resize", "Upsample", "Pad", "OneHot", "EyeLike",
        "Concat", "Loop", "Scan", "If", "RandomNormal", "RandomUniform", "RandomNormalLike",
        "RandomUniformLike", "SequenceMap", "Einsum", "MatMul", "ConvTranspose", "CenterCropPad",
    }
)  # fmt: skip


def run_constants(proto: onnx.ModelProto) -> bool:
    """Run the constant part where something in it can grow or loop; whether it was run.

    Raises `MemoryError` where it asks for more than this process may have.
    """
    part = constant_part(proto)
    if part is None:
        return False
    _run(part)
    return True


def constant_part(proto: onnx.ModelProto) -> onnx.ModelProto | None:
    """A model of the nodes that depend on no input; None where none of them makes much of little."""
    import onnx

    known = {tensor.name for tensor in proto.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in proto.graph.node:
        if all(name in known for name in (*node.input, *inner_inputs(node)) if name):
            nodes.append(node)
            known.update(node.output)
    own = {(function.domain, function.name) for function in proto.functions}
    if not any(_grows(node) or (node.domain, node.op_type) in own for node in nodes):
        return None
    used = {name for node in nodes for name in (*node.input, *inner_inputs(node))}
    ends = [name for node in nodes for name in node.output if name and name not in used]
    graph = onnx.GraphProto(
        name="constants",
        node=nodes,
        initializer=[tensor for tensor in proto.graph.initializer if tensor.name in used],
        output=[onnx.ValueInfoProto(name=name) for name in ends],
    )
    return onnx.ModelProto(
        ir_version=proto.ir_version,
        opset_import=proto.opset_import,
        functions=proto.functions,
        graph=graph,
    )


def _grows(node: onnx.NodeProto) -> bool:
    return node.op_type in MAKERS or any(True for _ in subgraphs_of(node))


def _run(part: onnx.ModelProto) -> None:
    """Run it for its cost; what cannot be run on its own is judged when the whole file is opened."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(
            part.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        session.run(None, {})
    except faults() as error:
        if out_of_memory(str(error)):
            raise MemoryError from error


def out_of_memory(reason: str) -> bool:
    """Whether onnxruntime's message says that it could not get memory."""
    return "bad_alloc" in reason or "Failed to allocate memory" in reason or "BFCArena" in reason
