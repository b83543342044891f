"""Multiply-accumulates of one node for one sample.

Counted is what dominates run time and what compression changes: convolutions, matrix products and
recurrent cells. Everything else counts 0. None means that a needed shape is unknown.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from studio.graph.model import Shape
from studio.graph.shapes import Shapes, shape_fact

if TYPE_CHECKING:
    import onnx_ir as ir

CONVOLUTIONS = frozenset({"Conv", "FusedConv", "ConvInteger", "QLinearConv"})
PRODUCTS = frozenset(
    {"MatMul", "MatMulInteger", "QLinearMatMul", "Gemm", "QGemm", "FusedMatMul", "FusedGemm"}
)
CELLS = {"LSTM": 4, "GRU": 3, "RNN": 1}


def macs_of(node: ir.Node, shapes: Shapes) -> int | None:
    """Multiply-accumulates of `node` at one sample per batch; 0 for ops that are not counted."""
    count = _count(node, shapes)
    return None if count is None else _per_sample(count, shapes.batch)


def _count(node: ir.Node, shapes: Shapes) -> int | None:
    op = node.op_type
    if op in CONVOLUTIONS:
        return _convolution(node, shapes)
    if op == "ConvTranspose":
        return _transposed(node, shapes)
    if op in PRODUCTS:
        return _product(node, shapes)
    if op in CELLS:
        return _cell(node, shapes, CELLS[op])
    return 0


def _convolution(node: ir.Node, shapes: Shapes) -> int | None:
    """Output elements times the kernel's length: (C_in / groups) · kH · kW."""
    weight = _shape(node, 3 if node.op_type == "QLinearConv" else 1, shapes)
    out = _size(shapes.of(str(node.outputs[0].name)))
    kernel = _size(weight[1:]) if weight else None
    return None if out is None or kernel is None else out * kernel


def _transposed(node: ir.Node, shapes: Shapes) -> int | None:
    """Input elements times (C_out / groups) · kH · kW: each input scatters one kernel."""
    weight, given = _shape(node, 1, shapes), _size(_shape(node, 0, shapes))
    kernel = _size(weight[1:]) if weight else None
    return None if given is None or kernel is None else given * kernel


def _product(node: ir.Node, shapes: Shapes) -> int | None:
    """Output elements times the length of the contracted axis, which is the left side's last."""
    left = _shape(node, 0, shapes)
    right = _shape(node, 3 if node.op_type in ("QLinearMatMul", "QGemm") else 1, shapes)
    out = _size(shapes.of(str(node.outputs[0].name)))
    inner = _inner(node, left, right)
    return None if out is None or inner is None else out * inner


def _inner(node: ir.Node, left: Shape | None, right: Shape | None) -> int | None:
    transposed = _flag(node, "transA")
    if left:
        length = left[0] if transposed and len(left) == 2 else left[-1]
        if isinstance(length, int):
            return length
    if right:
        length = right[-1] if _flag(node, "transB") else right[0 if len(right) == 1 else -2]
        return length if isinstance(length, int) else None
    return None


def _cell(node: ir.Node, shapes: Shapes, gates: int) -> int | None:
    """Steps · batch · directions · gates · hidden · (input + hidden)."""
    data, weight = _shape(node, 0, shapes), _shape(node, 1, shapes)
    if data is None or weight is None or len(data) != 3 or len(weight) != 3:
        return None
    runs, matrix = _size(data[:2]), _size(weight)
    hidden = weight[1] if isinstance(weight[1], int) else None
    if runs is None or matrix is None or hidden is None or not isinstance(weight[0], int):
        return None
    return runs * (matrix + weight[0] * hidden * (hidden // gates))


def _shape(node: ir.Node, index: int, shapes: Shapes) -> Shape | None:
    value = node.inputs[index] if index < len(node.inputs) else None
    if value is None:
        return None
    if value.const_value is not None:
        return shape_fact(value.const_value.shape)
    return shapes.of(str(value.name))


def _flag(node: ir.Node, name: str) -> bool:
    attribute = node.attributes.get(name)
    return attribute is not None and not attribute.is_ref() and attribute.value == 1


def _size(shape: Shape | None) -> int | None:
    if shape is None or not all(isinstance(dim, int) for dim in shape):
        return None
    return prod(dim for dim in shape if isinstance(dim, int))


def _per_sample(count: int, batch: int) -> int:
    return count // batch if count % batch == 0 else count
