"""Checks on an ONNX protobuf before anything in it is materialised, run or handed to a library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.formats.check_bombs import check_bombs
from studio.formats.check_graph import check_graphs
from studio.formats.check_tensors import check_tensors
from studio.formats.refuse import fail, shown
from studio.graph.onnx_edge import IR_MAX, OPSET_MAX, OPSET_MIN
from studio.graph.protos import graphs_in, nodes_in, subgraphs_of

if TYPE_CHECKING:
    import onnx

MAX_NODES = 500_000
MAX_NAME = 16_384
MAX_DEPTH = 16
IR_MIN = 3
_DOMAINS = frozenset(
    {
        "",
        "ai.onnx",
        "ai.onnx.ml",
        "ai.onnx.preview",
        "ai.onnx.preview.training",
        "ai.onnx.training",
        "com.microsoft",
        "com.microsoft.nchwc",
        "com.ms.internal.nhwc",
        "org.pytorch.aten",
    }
)


def check_proto(proto: onnx.ModelProto, path: Path) -> tuple[Path, ...]:
    """Refuse what is not a sound ONNX model; the data files that it refers to.

    Bounded by the size of the protobuf: nothing that the file merely promises is built. Raises
    `ModelError` that names the file, the fault and the next step.
    """
    try:
        _check_versions(proto, path)
        _check_size(proto, path)
        _check_domains(proto, path)
        _check_functions(proto, path)
        data = check_tensors(proto, path)
        check_graphs(proto, path)
        check_bombs(proto, path)
    except UnicodeError:
        fail(path, "a name in it is not valid UTF-8 text")
    return data


def _check_versions(proto: onnx.ModelProto, path: Path) -> None:
    if not proto.HasField("graph") or not (proto.graph.node or proto.graph.output):
        fail(path, "it is not an ONNX model: there is no graph in it", "Export or download it again.")
    opsets = {entry.domain or "ai.onnx": entry.version for entry in proto.opset_import}
    for function in proto.functions:
        opsets |= {entry.domain or "ai.onnx": entry.version for entry in function.opset_import}
    opset = opsets.get("ai.onnx", 0)
    if opset > OPSET_MAX:
        cause = f"it uses opset {opset}; onnxruntime runs up to opset {OPSET_MAX}"
        fail(path, cause, f"Export it again with opset_version={OPSET_MAX} or lower.")
    if opset < OPSET_MIN and "ai.onnx" in opsets:
        fail(path, f"it uses opset {opset}; opset {OPSET_MIN} is the oldest that is read", _upgrade())
    if not opsets:
        fail(path, "it does not say which opset it uses")
    if proto.ir_version > IR_MAX:
        cause = f"its IR version is {proto.ir_version}; onnxruntime reads up to {IR_MAX}"
        fail(path, cause, f"Set model.ir_version = {IR_MAX} and save it again with onnx.save.")
    if proto.ir_version < IR_MIN:
        fail(path, f"its IR version is {proto.ir_version}; {IR_MIN} is the oldest that is read", _upgrade())
    if any(graph.sparse_initializer for graph in graphs_in(proto)):
        fail(path, "it stores weights as sparse initializers", "Store them dense and export it again.")


def _upgrade() -> str:
    return "Convert it with onnx.version_converter.convert_version(model, 13)."


def _check_size(proto: onnx.ModelProto, path: Path) -> None:
    for count, node in enumerate(nodes_in(proto), 1):
        if count > MAX_NODES:
            fail(path, f"it has more than {MAX_NODES:,} nodes", "Export it without unrolled loops.")
        texts = (node.name, node.op_type, node.domain, *node.input, *node.output)
        if not all(isinstance(text, str) for text in texts):
            fail(path, "a name in it is not valid UTF-8 text")
        longest = max(texts, key=len)
        if len(longest) > MAX_NAME:
            fail(path, f"a name in it has {len(longest):,} characters: {shown(longest)}")
    _check_depth(proto, path)


def _check_depth(proto: onnx.ModelProto, path: Path) -> None:
    waiting = [(node, 1) for node in proto.graph.node]
    waiting += [(node, 1) for function in proto.functions for node in function.node]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            fail(path, f"its subgraphs are nested more than {MAX_DEPTH} deep at {shown(node.name)}")
        waiting.extend((inner, depth + 1) for graph in subgraphs_of(node) for inner in graph.node)


def _check_domains(proto: onnx.ModelProto, path: Path) -> None:
    own = {function.domain for function in proto.functions}
    for node in nodes_in(proto):
        if node.domain not in _DOMAINS and node.domain not in own:
            cause = f"it uses the op {shown(node.op_type)} of the unknown domain {shown(node.domain)}"
            fix = "Export it without custom ops; libraries are never loaded because a model asks for them."
            fail(path, cause, fix)
        if not node.op_type:
            fail(path, f"node {shown(node.name)} has no op")
        if node.op_type == "Constant" and (len(node.attribute), len(node.output)) != (1, 1):
            fail(path, f"the Constant node {shown(node.name)} does not hold exactly one value")


def _check_functions(proto: onnx.ModelProto, path: Path) -> None:
    """Refuse functions that call themselves, and nests of calls that unfold without bound."""
    bodies = {(each.domain, each.name): each for each in proto.functions}
    if len(bodies) < len({(each.domain, each.name, each.overload) for each in proto.functions}):
        return  # overloads are told apart by the runtime
    if len(bodies) < len(proto.functions):
        fail(path, "two functions in it have the same name")
    sizes: dict[tuple[str, str], int] = {}
    for key in bodies:
        _unfold(key, bodies, sizes, path)
    total = sum(sizes.get((node.domain, node.op_type), 1) for node in proto.graph.node)
    if total > MAX_NODES:
        fail(path, f"its functions unfold to more than {MAX_NODES:,} nodes")


def _unfold(
    start: tuple[str, str],
    bodies: dict[tuple[str, str], onnx.FunctionProto],
    sizes: dict[tuple[str, str], int],
    path: Path,
) -> None:
    """Fill `sizes` with the node count that each function unfolds to; a post-order walk, no recursion."""
    stack, open_calls = [start], set()
    while stack:
        key = stack[-1]
        if key in sizes:
            stack.pop()
            continue
        calls = {call for call in _calls(bodies[key]) if call in bodies}
        if missing := [call for call in calls if call not in sizes]:
            open_calls.add(key)
            if any(call in open_calls for call in missing):
                fail(path, f"its function {shown(key[1])} calls itself")
            stack.extend(missing)
            continue
        open_calls.discard(key)
        sizes[key] = sum(min(sizes.get(call, 1), MAX_NODES + 1) for call in _calls(bodies[key]))
        stack.pop()


def _calls(function: onnx.FunctionProto) -> list[tuple[str, str]]:
    waiting, found = list(function.node), []
    while waiting:
        node = waiting.pop()
        found.append((node.domain, node.op_type))
        waiting.extend(inner for graph in subgraphs_of(node) for inner in graph.node)
    return found
