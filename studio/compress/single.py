"""Run one node alone, in onnxruntime, on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.work import Array

if TYPE_CHECKING:
    import onnx_ir as ir


def run_node(node: ir.Node, inputs: Sequence[Array]) -> Array:
    """First output of `node`'s op with its attributes, for these float32 inputs."""
    import onnx_ir as ir
    import onnxruntime as ort

    feeds = {f"i{index}": array for index, array in enumerate(inputs)}
    values = [
        ir.Value(name=name, type=ir.TensorType(ir.DataType.FLOAT), shape=ir.Shape(array.shape))
        for name, array in feeds.items()
    ]
    copy = ir.node(node.op_type, values, dict(node.attributes), domain=node.domain)
    copy.outputs[0].name, copy.outputs[0].type = "o", ir.TensorType(ir.DataType.FLOAT)
    opset = node.graph.opset_imports if node.graph is not None else {"": 17}
    graph = ir.Graph(values, copy.outputs, nodes=[copy], opset_imports=dict(opset), name="one")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    proto = ir.to_proto(ir.Model(graph, ir_version=10))
    session = ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, feeds)[0])
