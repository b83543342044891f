"""Float weights to few levels: per-channel scales of least squared error, levels on the int8 grid."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from studio.compress.work import Array

_RATIOS = np.concatenate([np.linspace(0.30, 0.92, 16), np.linspace(0.94, 1.0, 4)])
_SAMPLE = 1 << 18
_FEW = 16  # weights of one output (depth-wise): its few large ones carry it, and are clipped at 3 bits only


@dataclass(frozen=True)
class Levels:
    """A quantized weight: `values` int8 in the weight's shape, each one of `table` (int8, sorted).

    weight ≈ values · scale, `scale` float32 (channels,) along `axis`, or (1,) per tensor;
    (values − zero) · scale where there are zero points, int8 of the scale's shape. With a `block`
    length, `scale` is (inputs / block, outputs) over a weight (inputs, outputs).
    `bits` is the width that the table needs; 8-bit weights have no table. `book` says that the
    table is a code book of the layer's own and not a grid of equal steps. `key` names the weight and the
    settings that they were made from, where somebody keeps them; it is no part of what they are.
    """

    values: Array
    scale: Array
    axis: int
    bits: int
    table: Array | None
    book: bool = False
    zero: Array | None = None
    block: int = 0
    key: str = field(default="", compare=False)

    def dequantized(self) -> Array:
        """The float32 weight that a kernel works with."""
        if self.block:
            return np.asarray(self.values * np.repeat(self.scale, self.block, axis=0), np.float32)
        shape = [1] * self.values.ndim
        if self.scale.size > 1:
            shape[self.axis] = self.scale.size
        codes = self.values.astype(np.float32)
        if self.zero is not None:
            codes -= self.zero.reshape(shape)
        return np.asarray(codes * self.scale.reshape(shape), np.float32)


def quantize(
    weight: Array,
    bits: int,
    axis: int,
    *,
    per_channel: bool = True,
    keep_zero: bool = False,
    floor: Array | None = None,
    limit: int = 127,
) -> Levels:
    """Quantize `weight` (float32) to `bits` (1 … 8), symmetric, scales along `axis`.

    8 bits use the whole range of each channel, ±`limit`. Fewer bits clip where the squared error
    is least; 3 bits and fewer choose between grids with and without a zero level. `keep_zero` keeps
    zeros exactly zero (pruned weights), outside the table at 1 bit. `floor` (channels,) is the
    smallest scale allowed.
    """
    rows = rows_of(weight, axis if per_channel else None)
    grids = _grids(bits, keep_zero, limit)
    fits = [_fit(rows, grid, floor if per_channel else _most(floor), keep_zero) for grid in grids]
    best = min(range(len(grids)), key=lambda index: fits[index][1])
    scale = fits[best][0]
    nearest = _nearest(rows / scale[:, None], grids[best])
    if keep_zero:
        nearest[rows == 0] = 0
    values = from_rows(nearest, weight.shape, axis if per_channel else None)
    table = grids[best] if bits < 8 else None
    return Levels(values, scale, axis, bits, table)


def uniform(bits: int, limit: int = 127) -> Array:
    """Whole numbers of `bits` bits with a zero level, int8; 8 bits are symmetric: ±`limit`."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return np.arange(max(low, -limit), min(high, limit) + 1, dtype=np.int8)


def odd(bits: int) -> Array:
    """2^bits odd whole numbers around zero, int8: ±1, ±3, … (no zero level)."""
    top = (1 << bits) - 1
    return np.arange(-top, top + 1, 2, dtype=np.int8)


def _grids(bits: int, keep_zero: bool, limit: int) -> list[Array]:
    if bits == 8:
        return [uniform(8, limit)]
    if bits == 1:
        return [odd(1)]
    return [uniform(bits)] if keep_zero or bits > 3 else [odd(bits), uniform(bits)]


def _fit(rows: Array, grid: Array, floor: Array | None, keep_zero: bool) -> tuple[Array, float]:
    """Scale per row and the squared error summed over all rows."""
    top = np.abs(rows).max(axis=1)
    reach = float(min(-int(grid[0]), int(grid[-1]))) or float(np.abs(grid).max())
    full = floored(np.where(top > 0, top / reach, 1.0).astype(np.float32), floor)
    if grid.size > 128:
        return full, 0.0
    sample = thinned(rows)
    scale, least = full, np.full(len(rows), np.inf)
    for ratio in _RATIOS if rows.shape[1] > _FEW or grid.size <= 8 else (1.0,):
        tried = floored((full * ratio).astype(np.float32), floor)
        error = _error(sample, tried, grid, keep_zero)
        better = error < least
        scale, least = np.where(better, tried, scale), np.where(better, error, least)
    return scale.astype(np.float32), float(least.sum())


def _error(rows: Array, scale: Array, grid: Array, keep_zero: bool) -> Array:
    back = _nearest(rows / scale[:, None], grid).astype(np.float32) * scale[:, None]
    if keep_zero:
        back[rows == 0] = 0
    return np.asarray(np.square(rows - back).sum(axis=1, dtype=np.float64))


def _nearest(scaled: Array, grid: Array) -> Array:
    """Each number's nearest level; grids have equal steps."""
    step = float(grid[1] - grid[0]) if grid.size > 1 else 1.0
    index = np.rint((scaled - float(grid[0])) / step)
    return grid[np.clip(index, 0, grid.size - 1).astype(np.intp)]


def floored(scale: Array, floor: Array | None) -> Array:
    """`scale`, nowhere below `floor` nor zero."""
    tiny = np.float32(np.finfo(np.float32).tiny)
    return np.maximum(scale, tiny if floor is None else np.maximum(floor, tiny)).astype(np.float32)


def _most(floor: Array | None) -> Array | None:
    return None if floor is None else floor.max(keepdims=True)


def thinned(rows: Array) -> Array:
    """An even sample of each row, so that the search costs the same for any size of layer."""
    step = max(1, rows.size // _SAMPLE)
    return rows[:, ::step] if rows.shape[1] >= 64 * step else rows


def rows_of(weight: Array, axis: int | None) -> Array:
    """The weight as (channels, rest), or (1, all) where `axis` is None."""
    if axis is None:
        return weight.reshape(1, -1)
    return np.ascontiguousarray(np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1))


def from_rows(rows: Array, shape: tuple[int, ...], axis: int | None) -> Array:
    """What `rows_of` made, back in the weight's shape."""
    if axis is None:
        return np.ascontiguousarray(rows.reshape(shape))
    moved = (shape[axis], *(dim for index, dim in enumerate(shape) if index != axis))
    return np.ascontiguousarray(np.moveaxis(rows.reshape(moved), 0, axis))
