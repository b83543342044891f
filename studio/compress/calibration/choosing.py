"""Choosing the range that an activation's codes cover, from what was seen of it."""

from __future__ import annotations

import numpy as np

from studio.compress.calibration.ranges import BINS, Histogram, Range, Seen
from studio.compress.work import Array

_PERCENTILE = 99.99


def range_of(seen: Seen, method: str) -> Range:
    """The range to represent, by `minmax`, `average` (of batches), `percentile`, `entropy` or `mse`.

    `percentile` keeps 99.99 % of the values; `mse` and `entropy` pick the clip of least squared
    error, or of least Kullback-Leibler divergence, at 8 bits.
    """
    if method == "average":
        return Range(seen.average_low / seen.batches, seen.average_high / seen.batches)
    histogram = seen.histogram
    if method == "minmax" or histogram is None or not histogram.counts.any():
        return Range(seen.low, seen.high)
    low, high = _percentile(histogram) if method == "percentile" else _least_error(seen, histogram, method)
    return Range(max(low, seen.low), min(high, seen.high))


def _percentile(histogram: Histogram) -> tuple[float, float]:
    share = np.cumsum(histogram.counts) / histogram.counts.sum()
    outside = (100 - _PERCENTILE) / 200
    low = int(np.searchsorted(share, outside, side="right"))
    high = int(np.searchsorted(share, 1 - outside))
    half = histogram.top / BINS
    centres = histogram.centres
    return float(centres[low] - half), float(centres[min(high, BINS - 1)] + half)


def _least_error(seen: Seen, histogram: Histogram, method: str) -> tuple[float, float]:
    score = _squared if method == "mse" else _divergence
    bounds = max(-seen.low, seen.high) * np.linspace(0.05, 1.0, 96)
    tried = [(max(seen.low, -float(bound)), min(seen.high, float(bound))) for bound in bounds]
    errors = [score(histogram, low, high) for low, high in tried]
    return tried[min(range(len(tried)), key=errors.__getitem__)]


def _rounded(histogram: Histogram, low: float, high: float) -> tuple[Array, Array]:
    """Bin centres and what 8 bits over [low, high] make of them."""
    centres = histogram.centres
    scale = max((high - low) / 255, float(np.finfo(np.float32).tiny))
    codes = np.clip(np.rint((centres - low) / scale), 0, 255)
    return centres, low + codes * scale


def _squared(histogram: Histogram, low: float, high: float) -> float:
    centres, back = _rounded(histogram, low, high)
    return float((histogram.counts * np.square(centres - back)).sum())


def _divergence(histogram: Histogram, low: float, high: float) -> float:
    """KL divergence of the rounded distribution from the one seen (Migacz 2017, 8-bit inference)."""
    centres, back = _rounded(histogram, low, high)
    counts = histogram.counts.astype(np.float64)
    _, level = np.unique(back, return_inverse=True)
    inside = ((centres >= low) & (centres <= high) & (counts > 0)).astype(np.float64)
    mass = np.bincount(level, weights=counts)
    room = np.bincount(level, weights=inside)
    spread: Array = np.where(inside > 0, mass[level] / np.maximum(room[level], 1), 1e-9)
    seen = counts > 0
    reference = counts[seen] / np.sum(counts)
    model = spread[seen] / np.sum(spread)
    return float((reference * np.log(reference / np.maximum(model, 1e-12))).sum())
