"""A layer's weight and bias: read as arrays, and given anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.compress.digests import note
from studio.compress.work import Array, Work, array_of, set_input
from studio.graph.model import LayerFact

if TYPE_CHECKING:
    import onnx_ir as ir


def weight_array(node: ir.Node) -> Array | None:
    """A layer's weight as stored, in float32 where it is a plain float constant, else None."""
    array = array_of(node.inputs[1])
    return array if array is not None and array.dtype == np.float32 else None


def bias_array(node: ir.Node, channels: int) -> Array | None:
    """A layer's bias (channels,), zeros where it has none; None where it is not a plain constant."""
    if len(node.inputs) < 3 or node.inputs[2] is None:
        return np.zeros(channels, np.float32)
    array = array_of(node.inputs[2])
    if array is None or array.dtype != np.float32 or array.size not in (1, channels):
        return None
    return np.broadcast_to(array.reshape(-1), (channels,)).astype(np.float32)


def along(vector: Array, rank: int, axis: int) -> Array:
    """`vector` shaped to broadcast along `axis` of an array of `rank` dimensions."""
    shape = [1] * rank
    shape[axis] = vector.size
    return vector.reshape(shape)


def scale_channels(weight: Array, factor: Array, fact: LayerFact) -> Array:
    """The weight with each output channel multiplied by its factor (grouped ConvTranspose included)."""
    if fact.op == "ConvTranspose" and fact.groups > 1:
        split = weight.reshape(fact.groups, -1, *weight.shape[1:])
        wide = factor.reshape(fact.groups, 1, -1, *[1] * (weight.ndim - 2))
        return np.ascontiguousarray((split * wide).reshape(weight.shape), np.float32)
    return np.ascontiguousarray(weight * along(factor, weight.ndim, fact.channel_axis), np.float32)


def set_weight(work: Work, node: ir.Node, weight: Array, digest: str = "") -> None:
    """Give `node` a new weight under the old one's name where nobody else uses that.

    `digest` stands for the weight where it is known, see `studio.compress.digests`.
    """
    value = _set(work, node, 1, weight)
    if digest:
        note(value, digest)


def set_bias(work: Work, node: ir.Node, bias: Array) -> None:
    """Give `node` a bias; a node without one gets its third input."""
    _set(work, node, 2, bias)


def _set(work: Work, node: ir.Node, index: int, array: Array) -> ir.Value:
    old = node.inputs[index] if len(node.inputs) > index else None
    value = work.constant(array, work.release(old))
    set_input(node, index, value)
    return value
