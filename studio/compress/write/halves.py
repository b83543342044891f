"""Weights of layers that compute in float: as they are, or in two bytes each behind ops that fold at load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from studio.compress.parts import along, weight_array
from studio.compress.work import Array, Work, set_input
from studio.compress.write.storage import Shelf, masked_float_bytes, place_masked_float
from studio.graph.model import LayerFact
from studio.recipe.resolve import LayerPlan
from studio.recipe.settings import FLOAT

if TYPE_CHECKING:
    import onnx_ir as ir

_FAINT = 2.0**-9  # a channel that float16 moves further than bfloat16 ever would
_INT16_MOST = 32767


def store_float(work: Work, shelf: Shelf, fact: LayerFact, row: LayerPlan, node: ir.Node) -> None:
    """Store the weight as its row asks, behind a mask where that takes fewer bytes.

    int16 codes are cast and multiplied by their channel's scale: a DequantizeLinear would be run every time.
    """
    import onnx_ir as ir

    weight = weight_array(node)
    widened = fact.bits == 16 and row.bits == FLOAT  # the file had it in 16 bits
    if weight is None or not (row.touched or widened):
        return
    narrow = row.bits == 16 or widened
    scale = None
    if widened:
        stored = weight.astype(_closest(weight, fact.channel_axis))
    elif narrow:
        stored, scale = _halved(work, fact, row, weight)
    else:
        stored = weight
    masked = row.storage == "masked" or masked_float_bytes(stored) < stored.nbytes
    work.storage[fact.name] = "masked" if masked else "dense"
    name = work.release(node.inputs[1])
    value = place_masked_float(shelf, node, stored, name) if masked else work.constant(stored, name)
    if narrow:
        value = work.before(node, "Cast", [value], {"to": int(ir.DataType.FLOAT)})
    if scale is not None:
        value = work.before(node, "Mul", [value, shelf.constant(scale)])
    set_input(node, 1, value)


def _halved(work: Work, fact: LayerFact, row: LayerPlan, weight: Array) -> tuple[Array, Array | None]:
    """The weight in 16 bits, and the scale of int16; bfloat16 where asked for, or float16 cannot hold it."""
    import ml_dtypes

    if row.half == "int16":
        return sixteen_bits(weight, fact.channel_axis)
    if row.half == "float16" and _lost(weight, np.dtype(np.float16), fact.channel_axis) < _FAINT:
        return weight.astype(np.float16), None
    if row.half == "float16":
        work.refuse(row.layer, "half", "float16", "bfloat16", "it has weights that float16 cannot hold")
    return weight.astype(ml_dtypes.bfloat16), None


def _closest(weight: Array, axis: int) -> np.dtype[Any]:
    """float16 or bfloat16, whichever loses less: nothing where the weight came in it and was left alone."""
    import ml_dtypes

    kinds = (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))
    return min(kinds, key=lambda kind: _lost(weight, kind, axis))


def _lost(weight: Array, kind: np.dtype[Any], axis: int) -> float:
    """How far `kind` moves the channel that suffers most, as a share of that channel's length."""
    rest = tuple(each for each in range(weight.ndim) if each != axis)
    with np.errstate(over="ignore"):
        off = weight.astype(kind).astype(np.float64) - weight
    length = np.sqrt(np.square(weight, dtype=np.float64).sum(axis=rest))
    moved = np.sqrt(np.square(off).sum(axis=rest))
    return float((moved / np.where(length > 0, length, 1.0)).max(initial=0.0))


def sixteen_bits(weight: Array, axis: int) -> tuple[Array, Array]:
    """int16 codes in the weight's shape, and float32 scales that broadcast, one per channel of `axis`.

    Symmetric; the largest magnitude of each channel becomes ±32767, so that each weight moves by at
    most 2^-16 of it. Zeros stay zero.
    """
    rest = tuple(each for each in range(weight.ndim) if each != axis)
    largest = np.abs(weight).max(axis=rest).astype(np.float64)
    scale = np.maximum(largest / _INT16_MOST, np.finfo(np.float32).tiny).astype(np.float32)
    scale = along(scale, weight.ndim, axis)
    codes = np.rint(weight / scale.astype(np.float64))
    return np.clip(codes, -_INT16_MOST, _INT16_MOST).astype(np.int16), scale
