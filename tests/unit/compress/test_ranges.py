"""Histograms that grow, ranges that clip, and Seen values that stay bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.compress.calibration.choosing import range_of
from studio.compress.calibration.grids import clipped, grid_of
from studio.compress.calibration.ranges import BINS, Histogram, Range, Seen


@given(st.integers(0, 99), st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=6))
def test_a_histogram_counts_everything_whatever_comes_later(seed: int, spreads: list[float]) -> None:
    random = np.random.default_rng(seed)
    histogram = Histogram()
    batches = [random.normal(0, spread, 200).astype(np.float32) for spread in spreads]
    for batch in batches:
        histogram.add(batch)
    assert histogram.counts.sum() == 200 * len(batches)
    assert histogram.counts.shape == (BINS,)
    assert histogram.top >= max(float(np.abs(batch).max()) for batch in batches)


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.sampled_from(["uint8", "int8"]))
def test_a_grid_holds_zero_and_spans_the_range(low: float, high: float, kind: str) -> None:
    low, high = sorted((low, high))
    grid = grid_of(Range(low, high), kind)
    lowest = 0 if kind == "uint8" else -128
    ends = ((lowest - grid.zero) * grid.scale, (lowest + 255 - grid.zero) * grid.scale)
    assert lowest <= grid.zero <= lowest + 255
    assert ends[0] <= min(low, 0) + grid.scale
    assert ends[1] >= max(high, 0) - grid.scale


def test_a_relu_range_starts_at_the_first_code() -> None:
    assert grid_of(clipped(Range(-3, 5), 0, float("inf")), "uint8").zero == 0
    assert clipped(Range(-3, 9), 0, 6) == Range(0, 6)


@pytest.mark.parametrize("method", ["percentile", "mse", "entropy"])
def test_outliers_are_clipped_where_that_pays(method: str) -> None:
    random = np.random.default_rng(0)
    seen = Seen(histogram=Histogram())
    values = random.normal(0, 1, (4, 50_000)).astype(np.float32)
    values[0, 0] = 30
    seen.add(values)
    assert range_of(seen, "minmax").high == 30
    assert 2 < range_of(seen, method).high < 28


def test_the_mean_of_large_maps_is_kept_by_channel() -> None:
    seen = Seen(keeps_mean=True)
    values = np.ones((2, 8, 128, 128), np.float32) * np.arange(8, dtype=np.float32)[None, :, None, None]
    seen.add(values)
    assert seen.total is not None
    assert seen.total.size == 8
    np.testing.assert_allclose(seen.mean, values[0])


@pytest.mark.parametrize("size", [1, 3, 8])
def test_halves_are_means_of_every_other_sample_whatever_the_batches(size: int) -> None:
    seen = Seen(keeps_mean=True)
    values = np.random.default_rng(0).normal(size=(9, 4, 5)).astype(np.float32)
    seen.add(values[:1])
    assert seen.halves is None
    for start in range(1, 9, size):
        seen.add(values[start : start + size])
    assert seen.mean is not None
    assert seen.halves is not None
    np.testing.assert_allclose(seen.mean, values.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(seen.halves[0], values[::2].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(seen.halves[1], values[1::2].mean(axis=0), atol=1e-6)
