"""Code books: 2^bits levels per layer, wherever on the int8 grid its weights are dense."""

from __future__ import annotations

import numpy as np

from studio.compress.levels.weights import Levels, floored, from_rows, rows_of, thinned
from studio.compress.work import Array

_ROUNDS = 40
_REFITS = 6
_RATIOS = (1.0, 0.85, 0.92, 1.08, 1.18)
_WIDEST = 6.0  # levels beyond so many standard deviations are not worth a code


def cluster(
    weight: Array,
    bits: int,
    axis: int,
    *,
    per_channel: bool = True,
    keep_zero: bool = False,
    floor: Array | None = None,
    limit: int = 127,
) -> Levels:
    """Quantize to a code book of 2^bits levels on the int8 grid, one book per layer, by k-means.

    Channels are first brought to one spread, so that one book fits them all; then scales and levels
    are improved in turn (Lloyd 1982 over the 255 possible levels, weighted by the squared scale).
    `keep_zero` puts a zero level into the book; `floor` (channels,) is the smallest scale allowed;
    no level lies beyond ±`limit`.
    """
    along = axis if per_channel else None
    least = floor if floor is None or per_channel else floor.max(keepdims=True)
    rows = rows_of(weight, along)
    spread = np.sqrt(np.square(rows, dtype=np.float64).mean(axis=1))
    widest = float((np.abs(rows).max(axis=1) / np.maximum(spread, 1e-30)).max(initial=1.0))
    scale = floored((spread * min(widest, _WIDEST) / limit).astype(np.float32), least)
    sample = thinned(rows)
    table = _quantiles(np.rint(np.clip(sample / scale[:, None], -limit, limit)), bits, limit)
    for _ in range(_REFITS):
        exact = sample / scale[:, None]
        codes = np.clip(np.rint(exact), -limit, limit).astype(np.int64)
        table = _lloyd(codes, scale, table, keep_zero, limit)
        scale = floored(_best_scale(sample, scale, table), least)
    values = _closest(rows / scale[:, None], table)
    if keep_zero:
        values[rows == 0] = 0
    return Levels(from_rows(values, weight.shape, along), scale, axis, bits, table, book=True)


def _quantiles(scaled: Array, bits: int, limit: int) -> Array:
    """2^bits different starting levels, as many weights near each."""
    wanted = np.quantile(scaled, (np.arange(1 << bits) + 0.5) / (1 << bits))
    return _different(np.rint(wanted).astype(np.int64), limit)


def _different(levels: Array, limit: int) -> Array:
    """Sorted levels pushed apart until no two are equal, within ±`limit`."""
    out = np.sort(levels)
    for index in range(1, out.size):
        out[index] = max(out[index], out[index - 1] + 1)
    for index in range(out.size - 1, -1, -1):
        out[index] = min(out[index], limit - (out.size - 1 - index))
    return np.asarray(out, np.int8)


def _lloyd(codes: Array, scale: Array, table: Array, keep_zero: bool, limit: int) -> Array:
    """k-means over the histogram of int8 `codes` (rows), from the levels of `table`."""
    weights = np.zeros(255)
    for row, step in zip(codes, np.square(scale, dtype=np.float64), strict=True):
        weights += np.bincount(row + 127, minlength=255) * step
    places = np.arange(-127, 128)
    levels = table.astype(np.float64)
    for _ in range(_ROUNDS):
        nearest = np.abs(places[:, None] - levels[None, :]).argmin(axis=1)
        mass = np.bincount(nearest, weights, minlength=levels.size)
        centre = np.bincount(nearest, weights * places, minlength=levels.size)
        levels = np.where(mass > 0, centre / np.where(mass > 0, mass, 1), levels)
        if keep_zero:
            levels[np.abs(levels).argmin()] = 0
    return _different(np.rint(levels).astype(np.int64), limit)


def _closest(scaled: Array, table: Array) -> Array:
    """Each number's nearest entry of the sorted `table`."""
    borders = (table[1:].astype(np.float32) + table[:-1]) / 2
    return table[np.searchsorted(borders, scaled)]


def _best_scale(rows: Array, scale: Array, table: Array) -> Array:
    """The least squared error among scales around the old one, each refitted to its own codes."""
    best, least = scale, np.full(len(rows), np.inf)
    for ratio in _RATIOS:
        tried = _refit(rows, _closest(rows / (scale * np.float32(ratio))[:, None], table), scale)
        back = _closest(rows / tried[:, None], table) * tried[:, None]
        error = np.square(rows - back).sum(axis=1, dtype=np.float64)
        best, least = np.where(error < least, tried, best), np.minimum(error, least)
    return best


def _refit(rows: Array, values: Array, scale: Array) -> Array:
    """The scale of least squared error for each row's values; kept where all of them are zero."""
    wide = values.astype(np.float32)
    norm = np.square(wide).sum(axis=1)
    found = (rows * wide).sum(axis=1) / np.where(norm > 0, norm, 1)
    return np.where((norm > 0) & (found > 0), found, scale).astype(np.float32)
