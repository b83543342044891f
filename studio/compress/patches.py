"""What a layer multiplies its weights with: rows of its input, one per output place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
    windows = _windows(node, chunk, fact.weight_shape[2:])
    rank = len(fact.weight_shape) - 2
    places = windows.shape[2 : 2 + rank]
    drawn = np.unravel_index(_drawn(int(np.prod(places)), most, random), places)
    index: tuple[Any, ...] = (slice(None), slice(None), *drawn)
    found = windows[index]  # samples, channels, places, kernel
    split = found.reshape(len(chunk), fact.groups, chunk.shape[1] // fact.groups, *found.shape[2:])
    turned = np.moveaxis(split, (1, 0, 3), (0, 1, 2))
    return np.asarray(turned.reshape(fact.groups, len(chunk) * found.shape[2], -1), np.float32)


def _windows(node: ir.Node, chunk: Array, kernel: Sequence[int]) -> Array:
    """A view (samples, channels, *places, *kernel) of what the kernel lies on, place by place."""
    rank = len(kernel)
    pads = [0] * 2 * rank
    if attribute(node, "auto_pad", "NOTSET") != "VALID":
        pads = list(attribute(node, "pads", pads))
    strides, steps = (list(attribute(node, name, [1] * rank)) for name in ("strides", "dilations"))
    wide = np.pad(chunk, [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:], strict=True)])
    span = [(size - 1) * step + 1 for size, step in zip(kernel, steps, strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(wide, span, axis=tuple(range(2, 2 + rank)))
    cut: list[slice] = [slice(None), slice(None)]
    cut += [slice(None, None, step) for step in (*strides, *steps)]
    return np.asarray(windows[tuple(cut)])


def _drawn(count: int, most: int, random: np.random.Generator) -> Array:
    return np.arange(count) if count <= most else np.sort(random.choice(count, most, replace=False))
