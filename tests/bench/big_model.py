"""A model of 20,000 nodes as a real file: a deep residual net of small products, named as exporters do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH, PER_BLOCK = 8, 47


class _Writer:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(5)

    def add(self, op: str, scope: str, *inputs: str) -> str:
        out = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [out], name=f"/{scope}/{op}_{len(self.nodes)}"))
        return out

    def linear(self, scope: str, x: str) -> str:
        weight = f"{scope.replace('/', '.')}.weight"
        value = self._random.normal(0, 0.05, (WIDTH, WIDTH)).astype(np.float32)
        self.weights.append(numpy_helper.from_array(value, weight))
        return self.add("MatMul", scope, x, weight)


def write(path: Path, nodes: int = 20_000) -> Path:
    """The model at `path`; about `nodes` nodes, an eighth of them layers."""
    net, x = _Writer(), "x"
    for block in range(nodes // PER_BLOCK):
        scope, y = f"h/{block}", x
        for part in range(6):
            y = net.linear(f"{scope}/mlp/fc{part}", y)
            for _ in range(3):
                y = net.add("Tanh", f"{scope}/mlp/act{part}", net.add("Neg", f"{scope}/mlp/act{part}", y))
        for _ in range(4):
            y = net.add("Abs", f"{scope}/norm", y)
        x = net.add("Add", scope, x, y)
    shape = ["batch", WIDTH]
    graph = helper.make_graph(
        net.nodes,
        "big",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, shape)],
        net.weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path
