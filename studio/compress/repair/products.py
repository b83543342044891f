"""Integer matrix products tried out on rows that were seen, before anything is written into the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.parts import weight_array
from studio.compress.work import Array, attribute
from studio.graph.model import LayerFact
from studio.recipe.resolve import LayerPlan

if TYPE_CHECKING:
    import onnx_ir as ir

WIDEST = 1 << 24  # weights of one input's products that are tried out
_PRODUCTS = ("MatMul", "Gemm")


def takes(fact: LayerFact, row: LayerPlan, node: ir.Node, value: ir.Value) -> bool:
    """Whether `node` multiplies rows of `value`, as integers, with a constant matrix of its own."""
    plain = node.op_type in _PRODUCTS and not attribute(node, "transA", 0) and node.inputs[0] is value
    weight = node.inputs[1]
    alone = weight is not None and len(weight.uses()) == 1 and len(fact.weight_shape) == 2
    return row.quantized and row.activations <= 8 and plain and alone and weight_array(node) is not None


def matrix(node: ir.Node) -> Array:
    """The weight as (inputs, outputs)."""
    weight = weight_array(node)
    assert weight is not None
    return weight.T if node.op_type == "Gemm" and attribute(node, "transB", 0) else weight


def noise(
    rows: Array, coded: Array, weights: Sequence[Array], rounded: Sequence[Array], bits: Sequence[int]
) -> float:
    """Noise over signal of rows · weights, summed, when `coded` meets `rounded` on their levels."""
    total = 0.0
    for weight, given, width in zip(weights, rounded, bits, strict=True):
        exact = rows @ weight
        off = coded @ on_levels(given, width) - exact
        total += float(np.square(off).sum() / max(float(np.square(exact).sum()), 1e-30))
    return total


def on_grid(rows: Array) -> Array:
    """What 8 bits over the range of `rows` make of them."""
    low, high = min(float(rows.min()), 0.0), max(float(rows.max()), 0.0)
    scale = (high - low) / 255 or 1.0
    return np.asarray(np.rint(rows / scale) * scale, np.float32)


def on_levels(weight: Array, bits: int) -> Array:
    """The matrix rounded to `bits` with one scale per output."""
    top = max((1 << (bits - 1)) - 1, 1)
    scale = np.maximum(np.abs(weight).max(axis=0) / top, np.float32(1e-30))
    return np.asarray(np.rint(weight / scale) * scale, np.float32)
