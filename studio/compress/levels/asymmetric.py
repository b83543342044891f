"""Weights on grids with a zero point: a channel's levels span what it holds, not ± its largest weight."""

from __future__ import annotations

import numpy as np

from studio.compress.levels.weights import Levels, floored, from_rows, rows_of, thinned, uniform
from studio.compress.work import Array

_RATIOS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.72, 0.64)


def quantize_asymmetric(
    weight: Array, bits: int, axis: int, *, per_channel: bool = True, floor: Array | None = None
) -> Levels:
    """Quantize `weight` (float32) to `bits` (2 … 8) with a scale and a zero point per channel or tensor.

    weight ≈ (values − zero) · scale; zero itself is always a level. Below 8 bits the range is narrowed
    where that lowers the squared error. `floor` (channels,) is the smallest scale allowed.
    """
    along = axis if per_channel else None
    rows = rows_of(weight, along)
    lowest = None if floor is None or per_channel else floor.max(keepdims=True)
    least = floor if per_channel else lowest
    scale, zero = _fit(rows, bits, least)
    values = from_rows(_codes(rows, scale, zero, bits), weight.shape, along)
    return Levels(values, scale, axis, bits, uniform(bits) if bits < 8 else None, zero=zero)


def _fit(rows: Array, bits: int, floor: Array | None) -> tuple[Array, Array]:
    """Scale float32 and zero point int8 (rows,) of least squared error; min-max at 7 bits and more."""
    low, high = np.minimum(rows.min(axis=1), 0), np.maximum(rows.max(axis=1), 0)
    tried = [_grid(low * ratio, high * ratio, bits, floor) for ratio in (_RATIOS if bits < 7 else (1.0,))]
    sample = thinned(rows)
    errors = np.array([_error(sample, *each, bits) for each in tried])
    best = errors.argmin(axis=0)
    rank = np.arange(len(rows))
    scales, zeros = (np.stack(part) for part in zip(*tried, strict=True))
    return scales[best, rank], zeros[best, rank]


def _grid(low: Array, high: Array, bits: int, floor: Array | None) -> tuple[Array, Array]:
    bottom = -(1 << (bits - 1))
    wide = (high - low) / ((1 << bits) - 1)
    scale = floored(np.where(wide > 0, wide, 1.0).astype(np.float32), floor)
    zero = np.clip(np.rint(bottom - low / scale), bottom, -bottom - 1)
    return scale, zero.astype(np.int8)


def _codes(rows: Array, scale: Array, zero: Array, bits: int) -> Array:
    bottom = -(1 << (bits - 1))
    codes = np.rint(rows / scale[:, None]) + zero[:, None]
    return np.asarray(np.clip(codes, bottom, -bottom - 1).astype(np.int8))


def _error(rows: Array, scale: Array, zero: Array, bits: int) -> Array:
    codes = _codes(rows, scale, zero, bits).astype(np.float32)
    back = (codes - zero[:, None]) * scale[:, None]
    return np.asarray(np.square(rows - back).sum(axis=1, dtype=np.float64))
