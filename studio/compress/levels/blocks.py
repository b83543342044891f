"""4-bit weights in blocks along the input channels, each with a scale of its own.

onnxruntime reads DequantizeLinear with a block size in front of MatMul as one MatMulNBits, which works
on the 4-bit codes themselves: less memory moves than with float weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.compress.levels.weights import Levels, uniform
from studio.compress.work import Array

if TYPE_CHECKING:
    import onnx_ir as ir

    from studio.compress.write.storage import Shelf

OPSET = 21  # DequantizeLinear with block_size
_TOP, _BOTTOM = 7.0, -8.0
_RATIOS = (1.0, 0.95, 0.9, 0.84, 0.78, 0.7)


def quantize_blocks(weight: Array, block: int) -> Levels:
    """Quantize `weight` (inputs, outputs) to 4 bits with scales (inputs / block, outputs).

    Each block takes the scale of least squared error among narrowed ranges and one that puts its
    largest weight on −8, whichever sign that has.
    """
    rows = weight.reshape(-1, block, weight.shape[1])
    top = np.abs(rows).max(axis=1)
    extreme = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)[:, 0]
    tried = [top * ratio / _TOP for ratio in _RATIOS] + [extreme * ratio / _BOTTOM for ratio in _RATIOS]
    scale = _best(rows, [np.where(each == 0, 1.0, each).astype(np.float32) for each in tried])
    values = _codes(rows, scale).astype(np.int8).reshape(weight.shape)
    return Levels(values, scale, 1, 4, uniform(4), block=block)


def place_blocks(shelf: Shelf, node: ir.Node, levels: Levels, name: str) -> ir.Value:
    """Emit `levels` in front of the MatMul `node`; the value returned is float in the weight's shape."""
    import ml_dtypes

    work = shelf.work
    codes = work.constant(levels.values.astype(ml_dtypes.int4), name)
    attributes = {"axis": 0, "block_size": levels.block}
    return work.before(node, "DequantizeLinear", [codes, shelf.constant(levels.scale)], attributes)


def _codes(rows: Array, scale: Array) -> Array:
    return np.asarray(np.clip(np.rint(rows / scale[:, None]), _BOTTOM, _TOP))


def _best(rows: Array, scales: list[Array]) -> Array:
    least, best = np.full(scales[0].shape, np.inf), scales[0]
    for scale in scales:
        off = _codes(rows, scale) * scale[:, None] - rows
        error = np.square(off).sum(axis=1, dtype=np.float64)
        best, least = np.where(error < least, scale, best), np.minimum(error, least)
    return best
