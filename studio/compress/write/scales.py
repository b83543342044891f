"""Scales and biases of integer layers in the fewest bytes: in small layers they weigh as much as the weights.

onnxruntime folds the Cast in front of each when it opens the file, like all that unpacks weights.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.work import Array

if TYPE_CHECKING:
    import onnx_ir as ir

    from studio.compress.levels.weights import Levels
    from studio.compress.write.storage import Shelf

_FEWEST = 16  # channels from which on two bytes for each pay for a Cast
_LOW, _HIGH = 2.0**-14, 65504.0  # what float16 holds with all its 11 bits


def narrowed(levels: Levels) -> Levels:
    """The levels with scales that float16 holds: moved by 2^-12 of themselves at most, against steps of
    2^-7 and more. Unchanged where there are few scales, or float16 would hold them with fewer bits."""
    scale = levels.scale
    if scale.size < _FEWEST or float(scale.min()) < _LOW or float(scale.max()) > _HIGH:
        return levels
    return replace(levels, scale=scale.astype(np.float16).astype(np.float32))


def place_scale(shelf: Shelf, node: ir.Node, levels: Levels) -> ir.Value:
    """The scales in front of `node`, float32 when the session is open."""
    import onnx_ir as ir

    if levels.scale.size == 1:
        return shelf.constant(levels.scale.reshape(()))
    half = levels.scale.astype(np.float16)
    if levels.scale.size < _FEWEST or not np.array_equal(half.astype(np.float32), levels.scale):
        return shelf.constant(levels.scale)
    return shelf.work.before(node, "Cast", [shelf.constant(half)], {"to": int(ir.DataType.FLOAT)})


def place_bias(
    shelf: Shelf, node: ir.Node, bias: Array, scale: ir.Value, steps: ir.Value, levels: Levels
) -> ir.Value:
    """The bias in front of `node`: codes of the accumulator's scale, which is a product that folds at load.

    `scale` is the input's, `steps` the weights' as placed. The codes are int16 where all of them fit, which
    loses nothing.
    """
    import onnx_ir as ir

    work, old = shelf.work, node.inputs[2]
    assert scale.const_value is not None
    unit = scale.const_value.numpy() * (levels.scale if levels.scale.size > 1 else levels.scale.reshape(()))
    codes = np.rint(bias.astype(np.float64) / unit).astype(np.int32)
    short = codes.astype(np.int16)
    fits = codes.size >= _FEWEST and np.array_equal(short, codes)
    stored = work.constant(short if fits else codes, work.release(old))
    if fits:
        stored = work.before(node, "Cast", [stored], {"to": int(ir.DataType.INT32)})
    axis = {"axis": 0} if levels.scale.size > 1 else {}
    product = work.before(node, "Mul", [scale, steps])
    return work.before(node, "DequantizeLinear", [stored, product], axis)
