"""What was seen of each tensor: extremes, means and a histogram whose bins grow; bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from studio.compress.work import Array

BINS = 2048
ROWS = 128
ROWS_OF_BATCH = 16
MAP = 1 << 16


@dataclass(frozen=True, slots=True)
class Range:
    """Lowest and highest value that an activation may take; both finite, low ≤ high."""

    low: float
    high: float


@dataclass
class Histogram:
    """|BINS| equal bins over [−top, top]; when a value falls outside, top doubles and bins merge.

    One pass over the data, 16 KiB per tensor whatever the data holds.
    """

    top: float = 0.0
    counts: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def add(self, values: Array) -> None:
        """Count finite `values` (any shape)."""
        flat = values.reshape(-1)
        reach = float(np.abs(flat).max(initial=0.0))
        if self.top == 0.0:
            self.top = reach
        while reach > self.top > 0:
            self._double()
        if self.top > 0:
            bins = (flat * np.float32(BINS / (2 * self.top)) + np.float32(BINS / 2)).astype(np.intp)
            self.counts += np.bincount(np.clip(bins, 0, BINS - 1), minlength=BINS)

    def _double(self) -> None:
        merged = self.counts.reshape(-1, 2).sum(axis=1)
        self.counts = np.zeros(BINS, np.int64)
        self.counts[BINS // 4 : BINS // 4 + BINS // 2] = merged
        self.top *= 2

    @property
    def centres(self) -> Array:
        step = 2 * self.top / BINS
        return -self.top + step * (np.arange(BINS) + 0.5)


@dataclass
class Seen:
    """Statistics of one tensor, filled batch by batch.

    `lows` and `highs` (channels,) are the extremes along axis 1, None for vectors; `mean` is over samples, in
    the shape of one sample, and `halves` are two of them;
    `rows` (places, C) are some of the tensor's rows along the last axis, `ends`
    (2, C) the extremes of all of them.
    """

    low: float = np.inf
    high: float = -np.inf
    average_low: float = 0.0
    average_high: float = 0.0
    batches: int = 0
    samples: int = 0
    total: Array | None = None
    odd: Array | None = None
    lows: Array | None = None
    highs: Array | None = None
    shape: tuple[int, ...] = ()
    keeps_mean: bool = False
    histogram: Histogram | None = None
    keeps_rows: bool = False
    rows: Array | None = None
    ends: Array | None = None

    def add(self, values: Array) -> bool:
        """Take one batch (N, …) of floats; False, and nothing is taken, where any is not finite."""
        lows, highs = _extremes(values)
        low, high = float(lows.min(initial=0.0)), float(highs.max(initial=0.0))
        if not np.isfinite((low, high)).all():
            return False
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.average_low += low
        self.average_high += high
        self.batches += 1
        self.samples += len(values)
        if values.ndim > 1:
            self._reach(lows, highs)
        if self.keeps_mean:
            self._sum(values)
        if self.keeps_rows:
            self._keep(values)
        if self.histogram is not None:
            self.histogram.add(values)
        return True

    def divided(self, exponents: Array) -> Seen | None:
        """What would have been seen of the tensor with channel c divided by 2^exponents[c], to the bit.

        None where that cannot be told from what was kept: of averages, histograms and vectors.
        """
        factor = np.exp2(-exponents)
        if self.histogram is not None or self.lows is None or self.highs is None:
            return None
        if self.lows.size != factor.size or (self.rows is not None and self.rows.shape[1] != factor.size):
            return None
        narrow = factor.astype(np.float32)
        lows, highs = self.lows * narrow, self.highs * narrow
        return replace(
            self,
            low=float(lows.min(initial=0.0)),
            high=float(highs.max(initial=0.0)),
            lows=lows,
            highs=highs,
            total=_scaled(self.total, factor),
            odd=_scaled(self.odd, factor),
            rows=None if self.rows is None else self.rows * narrow,
            ends=None if self.ends is None else self.ends * narrow,
        )

    def without(self, channels: Array) -> Range | None:
        """The range of the rows' other channels; None where rows were not kept."""
        if self.ends is None:
            return None
        low, high = np.delete(self.ends, channels, axis=1)
        return Range(float(low.min(initial=0.0)), float(high.max(initial=0.0)))

    def _keep(self, values: Array) -> None:
        """A few rows of each batch, evenly spread, until there are `ROWS`."""
        rows = values.reshape(-1, values.shape[-1])
        ends = np.stack([rows.min(axis=0, initial=0.0), rows.max(axis=0, initial=0.0)])
        if self.ends is not None and self.ends.shape == ends.shape:
            ends = np.stack([np.minimum(self.ends[0], ends[0]), np.maximum(self.ends[1], ends[1])])
        self.ends = ends
        kept = np.zeros((0, rows.shape[1]), np.float32) if self.rows is None else self.rows
        room = min(ROWS_OF_BATCH, ROWS - len(kept), len(rows))
        if room > 0 and kept.shape[1] == rows.shape[1]:
            taken = np.linspace(0, len(rows) - 1, room).astype(np.intp)
            self.rows = np.concatenate([kept, rows[taken]])

    def _reach(self, lows: Array, highs: Array) -> None:
        if self.lows is None or self.highs is None or self.lows.shape != lows.shape:
            self.lows, self.highs = lows, highs
        else:
            self.lows, self.highs = np.minimum(self.lows, lows), np.maximum(self.highs, highs)

    @property
    def reach(self) -> Array | None:
        """The largest magnitude (channels,) along axis 1."""
        if self.lows is None or self.highs is None:
            return None
        return np.maximum(np.maximum(self.highs, -self.lows), 0)

    def _sum(self, values: Array) -> None:
        """Add up all samples, and every other one, counted over all batches."""
        first = 1 - (self.samples - len(values)) % 2
        odd, even = self._total(values[first::2]), self._total(values[1 - first :: 2])
        if self.total is None or self.odd is None:
            self.total, self.odd = odd + even, odd
        elif self.total.shape == odd.shape:
            self.total, self.odd = self.total + odd + even, self.odd + odd

    def _total(self, values: Array) -> Array:
        total = values.sum(axis=0, dtype=np.float64)
        if total.size > MAP:
            self.shape = total.shape
            total = total.mean(axis=tuple(range(1, total.ndim)), keepdims=True)
        return np.asarray(total)

    @property
    def mean(self) -> Array | None:
        """The mean over samples, in one sample's shape; of large maps the mean of each channel."""
        return self._mean(self.total, self.samples)

    @property
    def halves(self) -> tuple[Array, Array] | None:
        """The means of one half of the samples and of the other; None where there are no two samples."""
        if self.total is None or self.odd is None or self.samples < 2:
            return None
        odd = self.samples // 2
        even = self._mean(self.total - self.odd, self.samples - odd)
        other = self._mean(self.odd, odd)
        return None if even is None or other is None else (even, other)

    def _mean(self, total: Array | None, samples: int) -> Array | None:
        if total is None or not samples:
            return None
        mean = total / samples
        return np.broadcast_to(mean, self.shape) if self.shape else mean


def _scaled(total: Array | None, factor: Array) -> Array | None:
    """A sum over samples, its channels times `factor`."""
    return None if total is None else total * factor.reshape(-1, *[1] * (total.ndim - 1))


def _extremes(values: Array) -> tuple[Array, Array]:
    """The lowest and highest value along axis 1, of a vector its own; NaN where there is one."""
    if values.ndim < 2 or not values.size:
        return values.reshape(-1), values.reshape(-1)
    rows = values.reshape(values.shape[0], values.shape[1], -1)
    if rows.shape[2] > 1:  # whole rows first: they lie together in memory
        return rows.min(axis=2).min(axis=0), rows.max(axis=2).max(axis=0)
    return rows[:, :, 0].min(axis=0), rows[:, :, 0].max(axis=0)
