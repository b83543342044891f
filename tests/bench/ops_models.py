"""Models of one op: in float, and on codes with every scale a power of two."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, np.dtype[Any]]
FLOAT = "float"
KINDS = (FLOAT, "u8s8", "u8u8", "s8s8")
_IN, _WEIGHT, _OUT = 2.0**-6, 2.0**-7, 2.0**-4
_OPSET = 20


@dataclass(frozen=True)
class Op:
    """An op on one activation (`inputs` of the same shape), with a weight where `weight` gives its shape.

    `to_float`: what comes out stays float (MatMulIntegerToFloat).
    """

    name: str
    type: str
    shape: tuple[int, ...]
    weight: tuple[int, ...] = ()
    inputs: int = 1
    bias: int = 0
    other: tuple[int, ...] = ()
    to_float: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[str, ...]:
        return KINDS if self.weight else ("float", "u8s8")

    @property
    def checks(self) -> tuple[tuple[str, int], ...]:
        return (("u8s8", 8), ("u8s8", 7), ("u8u8", 8)) if self.weight else ()


def _conv(name: str, size: int, weight: tuple[int, ...], group: int = 1, stride: int = 1) -> Op:
    pads = [weight[2] // 2] * 4
    attributes = {"group": group, "pads": pads, "strides": [stride, stride]}
    shape = (1, weight[1] * group, size, size)
    return Op(name, "Conv", shape, weight, bias=weight[0], attributes=attributes)


_POOL = {"kernel_shape": [2, 2], "strides": [2, 2]}
OPS = (
    _conv("Conv 3×3 64→64 @56", 56, (64, 64, 3, 3)),
    _conv("Conv 3×3 16→16 @28", 28, (16, 16, 3, 3)),
    _conv("Conv 1×1 256→256 @28", 28, (256, 256, 1, 1)),
    _conv("Conv 1×1 32→96 @28", 28, (96, 32, 1, 1)),
    _conv("stem 3×3 3→32 s2 @224", 224, (32, 3, 3, 3), stride=2),
    _conv("stem 3×3 1→16 @28", 28, (16, 1, 3, 3)),
    _conv("depth-wise 3×3 256 @28", 28, (256, 1, 3, 3), group=256),
    _conv("depth-wise 3×3 96 s2 @56", 56, (96, 1, 3, 3), group=96, stride=2),
    _conv("depth-wise 5×5 128 @14", 14, (128, 1, 5, 5), group=128),
    _conv("grouped 3×3 256 g8 @28", 28, (256, 32, 3, 3), group=8),
    _conv("grouped 3×3 128 g32 @28", 28, (128, 4, 3, 3), group=32),
    _conv("grouped 1×1 96 g4 @14", 14, (96, 24, 1, 1), group=4),
    Op("Gemm 1×512→10", "Gemm", (1, 512), (10, 512), bias=10, attributes={"transB": 1}),
    Op("Gemm 128×768→768", "Gemm", (128, 768), (768, 768), bias=768, attributes={"transB": 1}),
    Op("MatMul 1×768→768", "MatMul", (1, 768), (768, 768)),
    Op("MatMul 128×768→768", "MatMul", (1, 128, 768), (768, 768)),
    Op("MatMul 128×768→768, float out", "MatMul", (1, 128, 768), (768, 768), to_float=True),
    Op("MatMul act × act 12×128×64", "MatMul", (12, 128, 64), inputs=2, other=(12, 64, 128)),
    Op(
        "ConvTranspose 2×2 64 s2 @28",
        "ConvTranspose",
        (1, 64, 28, 28),
        (64, 64, 2, 2),
        attributes={"strides": [2, 2]},
    ),
    Op("Add 256 @28", "Add", (1, 256, 28, 28), inputs=2),
    Op("Mul 256 @28", "Mul", (1, 256, 28, 28), inputs=2),
    Op("Concat 2×128 @28", "Concat", (1, 128, 28, 28), inputs=2, attributes={"axis": 1}),
    Op("MaxPool 2×2 64 @112", "MaxPool", (1, 64, 112, 112), attributes=_POOL),
    Op("MaxPool 2×2 16 @28", "MaxPool", (1, 16, 28, 28), attributes=_POOL),
    Op("AveragePool 2×2 64 @112", "AveragePool", (1, 64, 112, 112), attributes=_POOL),
    Op("GlobalAveragePool 512 @14", "GlobalAveragePool", (1, 512, 14, 14)),
    Op("Softmax 12×128×128", "Softmax", (12, 128, 128), attributes={"axis": -1}),
    Op("Sigmoid 256 @28", "Sigmoid", (1, 256, 28, 28)),
    Op("LeakyRelu 256 @28", "LeakyRelu", (1, 256, 28, 28), attributes={"alpha": 0.1}),
    Op("HardSwish 256 @28", "HardSwish", (1, 256, 28, 28)),
    Op("Transpose 128×12×64", "Transpose", (1, 128, 12, 64), attributes={"perm": [0, 2, 1, 3]}),
)


def model_of(op: Op, kind: str, bits: int) -> tuple[bytes, dict[str, Array]]:
    """A model of the kind, its weights in `bits`, and what to feed it. Values are the same in each kind."""
    random = np.random.default_rng(0)
    shapes = [op.shape, *[op.other or op.shape] * (op.inputs - 1)]
    codes = [random.integers(0, 256, shape) for shape in shapes]
    low = -(2 ** (bits - 1)) + 1
    weight = random.integers(low, -low + 1, op.weight) if op.weight else None
    build = _Float(op) if kind == "float" else _Codes(op, kind)
    return build.made(codes, weight)


class _Float:
    """The op on floats."""

    def __init__(self, op: Op) -> None:
        self.op = op
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.into, self.out = TensorProto.FLOAT, TensorProto.FLOAT

    def made(self, codes: list[Array], weight: Array | None) -> tuple[bytes, dict[str, Array]]:
        names = [self.activation(f"x{at}") for at in range(len(codes))]
        if weight is not None:
            names.append(self.weight(weight))
        if self.op.bias:
            names.append(self.bias())
        self.nodes.append(helper.make_node(self.op.type, names, ["op"], name="op", **self.op.attributes))
        last = self.last()
        inputs = [
            helper.make_tensor_value_info(f"x{at}", self.into, each.shape) for at, each in enumerate(codes)
        ]
        outputs = [helper.make_tensor_value_info(last, self.out, None)]
        graph = helper.make_graph(self.nodes, "op", inputs, outputs, self.weights)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=10)
        return made.SerializeToString(), {f"x{at}": self.fed(each) for at, each in enumerate(codes)}

    def array(self, name: str, array: Any) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def activation(self, name: str) -> str:
        return name

    def weight(self, codes: Array) -> str:
        return self.array("weight", (codes * _WEIGHT).astype(np.float32))

    def bias(self) -> str:
        return self.array("bias", np.zeros(self.op.bias, np.float32))

    def last(self) -> str:
        return "op"

    def fed(self, codes: Array) -> Array:
        return ((codes - 128) * _IN).astype(np.float32)


class _Codes(_Float):
    """The op between codes: DequantizeLinear before it, QuantizeLinear behind."""

    def __init__(self, op: Op, kind: str) -> None:
        super().__init__(op)
        self.signed, self.signed_weight = kind == "s8s8", kind != "u8u8"
        code = TensorProto.INT8 if self.signed else TensorProto.UINT8
        self.into, self.out = code, TensorProto.FLOAT if op.to_float else code
        self.array("in_scale", np.float32(_IN))
        self.array("out_scale", np.float32(self._out_scale()))
        self.array("zero", np.int8(0) if self.signed else np.uint8(128))

    def _out_scale(self) -> float:
        """Sums of many products spread over the codes; what weighs nothing keeps its scale."""
        if not self.op.weight:
            return _IN
        fan = prod(self.op.weight) // (self.op.bias or self.op.weight[-1])
        return 2.0 ** np.ceil(np.log2(2.0 * fan**0.5 / 64))

    def activation(self, name: str) -> str:
        self.nodes.append(helper.make_node("DequantizeLinear", [name, "in_scale", "zero"], [f"{name}_value"]))
        return f"{name}_value"

    def weight(self, codes: Array) -> str:
        typed = codes.astype(np.int8) if self.signed_weight else (codes + 128).astype(np.uint8)
        zero = np.int8(0) if self.signed_weight else np.uint8(128)
        names = [self.array("weight", typed), self.array("weight_scale", np.float32(_WEIGHT))]
        names.append(self.array("weight_zero", zero))
        self.nodes.append(helper.make_node("DequantizeLinear", names, ["weight_value"]))
        return "weight_value"

    def bias(self) -> str:
        names = [self.array("bias", np.zeros(self.op.bias, np.int32))]
        names.append(self.array("bias_scale", np.float32(_IN * _WEIGHT)))
        self.nodes.append(helper.make_node("DequantizeLinear", names, ["bias_value"]))
        return "bias_value"

    def last(self) -> str:
        if self.op.to_float:
            return "op"
        self.nodes.append(helper.make_node("QuantizeLinear", ["op", "out_scale", "zero"], ["y"]))
        return "y"

    def fed(self, codes: Array) -> Array:
        return (codes - 128).astype(np.int8) if self.signed else codes.astype(np.uint8)


def kernel_of(op: Op, kind: str) -> str:
    """The ops that onnxruntime really runs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "optimized.onnx")
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = str(path)
        ort.InferenceSession(model_of(op, kind, 8)[0], options, providers=["CPUExecutionProvider"])
        found = Counter(node.op_type for node in onnx.load(path).graph.node)
    return " + ".join(found)
