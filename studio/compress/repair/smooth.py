"""Smooth activations in front of matrix products: hand a channel's large values on to the weights.

After Xiao et al., *SmoothQuant*, 2022: a normalization's scale and bias take the division in, the weights
behind it the multiplication. Factors are powers of two, so the function stays exactly the same, and how
far each input is smoothed is the trial whose products come out closest on rows that were seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.calibration.ranges import Seen
from studio.compress.parts import set_weight, weight_array
from studio.compress.repair.products import WIDEST, matrix, noise, on_grid, takes
from studio.compress.work import Array, Work, array_of, attribute, only_consumer, set_input
from studio.graph.constants import is_constant
from studio.graph.model import LayerFact
from studio.recipe.resolve import LayerPlan

if TYPE_CHECKING:
    import onnx_ir as ir

SHARES = (0.25, 0.5, 0.75)
_NORMS = ("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
_MOST = 12
_GAIN = 0.9  # of the error; less is not worth another graph


@dataclass(frozen=True)
class Joint:
    """A float tensor (…, C) that only integer matrix products read, and what can take a factor in.

    `factors` are (node, input) of constants (C,) that scale the tensor's channels.
    """

    value: ir.Value
    readers: tuple[tuple[LayerFact, LayerPlan, ir.Node], ...]
    factors: tuple[tuple[ir.Node, int], ...]


def smooth(work: Work, seen: Mapping[str, Seen]) -> None:
    """Smooth every joint where that lowers the error of its products by a tenth or more.

    `seen` holds rows of each product's input by tensor name. Exponents go to `work.gains`, what was
    won to `work.notes`.
    """
    won = []
    for joint in _joints(work):
        found = seen.get(str(joint.value.name))
        rows = None if found is None else found.rows
        tried = None if rows is None or not rows.size else _best(joint, rows)
        if tried is None:
            continue
        exponents, gain = tried
        _apply(work, joint, exponents)
        won.append(gain)
    work.gained(f"smoothed {len(won)} inputs of matrix products", won)


def _joints(work: Work) -> list[Joint]:
    by_node = {node: (fact, row) for fact, row, node in work.layers()}
    found: dict[ir.Value, Joint] = {}
    for _, row, node in work.layers():
        value = node.inputs[0]
        if row.activations > 8 or value is None or value in found or value.is_graph_output():
            continue
        readers = tuple((*by_node[user], user) for user in value.consumers() if user in by_node)
        factors = _factors(value)
        if factors and len(readers) == len(value.uses()) and all(takes(*each, value) for each in readers):
            found[value] = Joint(value, readers, factors)
    return list(found.values())


def _factors(value: ir.Value) -> tuple[tuple[ir.Node, int], ...]:
    """Where a factor of each channel of `value` can go: a normalization's constants, or Mul and Add."""
    node = value.producer()
    if node is None:
        return ()
    if node.op_type in _NORMS:
        axis = attribute(node, "axis", -1)
        wide = [(node, index) for index in range(1, min(len(node.inputs), 3)) if node.inputs[index]]
        vectors = all(_vector(node.inputs[index]) is not None for _, index in wide)
        return tuple(wide) if vectors and wide and axis in (-1, _last(node)) else ()
    if node.op_type == "Mul":
        return _constant_side(node)
    if node.op_type != "Add":
        return ()
    shift = _constant_side(node)
    other = node.inputs[1 - shift[0][1]] if shift else None
    maker = other.producer() if other is not None and only_consumer(other) is node else None
    scale = _constant_side(maker) if maker is not None and maker.op_type == "Mul" else ()
    return (*scale, *shift) if scale else ()


def _last(node: ir.Node) -> int:
    source = node.inputs[0]
    rank = len(source.shape) if source is not None and source.shape is not None else 0
    return rank - 1 if rank else -1


def _constant_side(node: ir.Node) -> tuple[tuple[ir.Node, int], ...]:
    sides = [index for index, value in enumerate(node.inputs) if _vector(value) is not None]
    computed = [value for value in node.inputs if not is_constant(value)]
    return ((node, sides[0]),) if len(sides) == 1 and len(computed) == 1 else ()


def _vector(value: ir.Value | None) -> Array | None:
    """A constant that varies along the last axis alone."""
    array = array_of(value)
    if array is None or array.dtype != np.float32 or array.ndim == 0 or array.size != array.shape[-1]:
        return None
    return array


def _best(joint: Joint, rows: Array) -> tuple[Array, float] | None:
    """Exponents (C,) to divide the tensor by, and the decibels won; None where nothing is."""
    weights = [matrix(node) for _, _, node in joint.readers]
    width = rows.shape[1]
    sized = all(_vector_size(node, index) == width for node, index in joint.factors)
    if not sized or any(each.shape[0] != width for each in weights) or width * width > WIDEST:
        return None
    bits = [min(row.bits, 8) for _, row, _ in joint.readers]
    plain = _error(rows, weights, bits, np.zeros(width))
    tried = [_exponents(rows, weights, share) for share in SHARES]
    errors = [_error(rows, weights, bits, exponents) for exponents in tried]
    best = min(range(len(tried)), key=errors.__getitem__)
    if plain <= 0 or errors[best] > _GAIN * plain or not tried[best].any():
        return None
    return tried[best].astype(np.int64), 10 * float(np.log10(plain / max(errors[best], 1e-30)))


def _vector_size(node: ir.Node, index: int) -> int:
    found = _vector(node.inputs[index])
    return 0 if found is None else found.size


def _exponents(rows: Array, weights: list[Array], share: float) -> Array:
    """The tensor's reach to the power `share` over the weights' to the rest, as powers of two."""
    ahead = np.abs(rows).max(axis=0)
    behind = np.max([np.abs(each).max(axis=1) for each in weights], axis=0)
    usable = (ahead > 0) & (behind > 0)
    if not usable.any():
        return np.zeros(ahead.size)
    wish = share * np.log2(np.where(usable, ahead, 1)) - (1 - share) * np.log2(np.where(usable, behind, 1))
    middle = float(np.median(wish[usable]))
    return np.where(usable, np.clip(np.rint(wish - middle), -_MOST, _MOST), 0)


def _error(rows: Array, weights: list[Array], bits: list[int], exponents: Array) -> float:
    """Noise over signal of the products, summed over the readers, when both sides are rounded."""
    factor = np.exp2(exponents).astype(np.float32)
    return noise(rows, on_grid(rows / factor), weights, [each * factor[:, None] for each in weights], bits)


def _apply(work: Work, joint: Joint, exponents: Array) -> None:
    factor = np.exp2(exponents).astype(np.float32)
    for node, index in joint.factors:
        old = node.inputs[index]
        array = array_of(old)
        assert array is not None
        made = (array / factor.reshape((1,) * (array.ndim - 1) + (-1,))).astype(np.float32)
        set_input(node, index, work.constant(made, work.release(old)))
    for _, _, node in joint.readers:
        weight = weight_array(node)
        assert weight is not None
        inputs = 1 if node.op_type == "Gemm" and attribute(node, "transB", 0) else 0
        wide = factor[None, :] if inputs else factor[:, None]
        set_weight(work, node, np.ascontiguousarray(weight * wide, np.float32))
    work.gains[str(joint.value.name)] = exponents
