from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.graph.macs import macs_of
from studio.graph.onnx_edge import from_proto
from studio.graph.shapes import shapes_of


def macs(op: str, x: tuple, weights: list[tuple], out: tuple, **attributes) -> int | None:
    names = [f"w{index}" for index in range(len(weights))]
    stored = [
        numpy_helper.from_array(np.zeros(shape, np.float32), name)
        for name, shape in zip(names, weights, strict=True)
    ]
    node = helper.make_node(op, ["x", *names], ["y"], **attributes)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, out)],
        stored,
    )
    opsets = [helper.make_opsetid("", 17)]
    model: ir.Model = from_proto(helper.make_model(graph, opset_imports=opsets, ir_version=8))
    return macs_of(model.graph[0], shapes_of(model))


@pytest.mark.parametrize(
    ("op", "x", "weights", "out", "attributes", "expected"),
    [
        ("Conv", ("N", 6, 8, 8), [(4, 3, 3, 3)], ("N", 4, 6, 6), {"group": 2}, 4 * 36 * 27),
        ("Conv", ("N", 6, 9), [(4, 6, 3)], ("N", 4, 7), {}, 4 * 7 * 18),
        ("ConvTranspose", ("N", 6, 8, 8), [(6, 4, 2, 2)], None, {"strides": [2, 2]}, 6 * 64 * 16),
        ("Gemm", ("N", 5), [(5, 7)], ("N", 7), {}, 35),
        ("Gemm", ("N", 5), [(7, 5)], ("N", 7), {"transB": 1}, 35),
        ("MatMul", ("N", 12, 5), [(5, 7)], ("N", 12, 7), {}, 12 * 35),
        ("LSTM", (10, 1, 4), [(1, 32, 4), (1, 32, 8)], None, {"hidden_size": 8}, 10 * (32 * 4 + 32 * 8)),
        ("Relu", ("N", 5), [], ("N", 5), {}, 0),
        ("MatMul", ("N", "seq", 5), [(5, 7)], ("N", "seq", 7), {}, None),
    ],
)
def test_macs(op, x, weights, out, attributes, expected) -> None:
    assert macs(op, x, weights, out, **attributes) == expected
