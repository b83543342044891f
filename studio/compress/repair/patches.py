"""What a layer multiplies its weights with: rows of its input, one per output place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.work import Array, attribute
from studio.graph.model import LayerFact

if TYPE_CHECKING:
    import onnx_ir as ir


def takes(node: ir.Node, weight: Array) -> bool:
    """Whether `rows` and `matrix` know this kind of layer."""
    if node.op_type == "Conv":
        return attribute(node, "auto_pad", "NOTSET") in ("NOTSET", "VALID")
    plain = (
        node.op_type == "Gemm" and not attribute(node, "transA", 0) and attribute(node, "alpha", 1.0) == 1.0
    )
    return weight.ndim == 2 and (plain or node.op_type == "MatMul")


def matrix(node: ir.Node, weight: Array) -> Array:
    """The weight as (groups, outputs, inputs of one output)."""
    if node.op_type == "Conv":
        groups = int(attribute(node, "group", 1))
        return weight.reshape(groups, weight.shape[0] // groups, -1)
    turned = node.op_type == "Gemm" and attribute(node, "transB", 0)
    return np.ascontiguousarray(weight if turned else weight.T)[None]


def restored(node: ir.Node, rows: Array, shape: Sequence[int]) -> Array:
    """What `matrix` made, back in the weight's `shape`."""
    if node.op_type == "Conv":
        return np.ascontiguousarray(rows.reshape(tuple(shape)))
    turned = node.op_type == "Gemm" and attribute(node, "transB", 0)
    return np.ascontiguousarray(rows[0] if turned else rows[0].T)


def rows(node: ir.Node, fact: LayerFact, chunk: Array, most: int, random: np.random.Generator) -> Array:
    """Rows (groups, places, inputs of one output) of one chunk of input, at most `most` places a sample.

    Places are drawn by `random`: two generators of one seed draw the same ones.
    """
    if node.op_type != "Conv":
        flat = chunk.reshape(len(chunk), -1, chunk.shape[-1])
        picked = flat[:, _drawn(flat.shape[1], most, random)]
        return np.asarray(picked.reshape(1, -1, chunk.shape[-1]), np.float32)
    return _patches(node, fact, chunk, most, random)


def _patches(node: ir.Node, fact: LayerFact, chunk: Array, most: int, random: np.random.Generator) -> Array:
    """One gather from the padded samples laid out flat: places, channels, kernel."""
    kernel = fact.weight_shape[2:]
    strides, steps = (np.array(attribute(node, name, [1] * len(kernel))) for name in ("strides", "dilations"))
    wide = _padded(node, chunk)
    sizes = wide.shape[2:]
    span = (np.array(kernel) - 1) * steps + 1
    places = tuple((np.array(sizes) - span) // strides + 1)
    drawn = np.unravel_index(_drawn(int(np.prod(places)), most, random), places)
    corners = _flat(np.stack(drawn), strides, sizes)
    taps = _flat(np.indices(kernel).reshape(len(kernel), -1), steps, sizes)
    channels = np.arange(chunk.shape[1]) * int(np.prod(sizes))
    index = corners[:, None, None] + channels[:, None] + taps
    found = wide.reshape(len(chunk), -1).take(index.reshape(len(corners), -1), axis=1)
    split = found.reshape(len(chunk) * len(corners), fact.groups, -1).swapaxes(0, 1)
    return np.ascontiguousarray(split, np.float32)


def _padded(node: ir.Node, chunk: Array) -> Array:
    rank = chunk.ndim - 2
    pads = [0] * 2 * rank
    if attribute(node, "auto_pad", "NOTSET") != "VALID":
        pads = list(attribute(node, "pads", pads))
    if not any(pads):
        return chunk
    inner = tuple(slice(ahead, ahead + size) for ahead, size in zip(pads, chunk.shape[2:], strict=False))
    grown = [size + pads[axis] + pads[axis + rank] for axis, size in enumerate(chunk.shape[2:])]
    wide = np.zeros((*chunk.shape[:2], *grown), chunk.dtype)
    wide[:, :, *inner] = chunk
    return wide


def _flat(positions: Array, steps: Array, sizes: Sequence[int]) -> Array:
    """Where `positions` (rank, N), `steps` apart, lie in an array of `sizes` laid out flat."""
    return np.asarray(np.ravel_multi_index(tuple(positions * steps[:, None]), tuple(sizes)))


def _drawn(count: int, most: int, random: np.random.Generator) -> Array:
    return np.arange(count) if count <= most else np.sort(random.choice(count, most, replace=False))
