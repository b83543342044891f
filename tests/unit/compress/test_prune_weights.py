"""Unstructured pruning: exact counts, the smallest first, the same mask every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from studio.compress.pruning.masks import magnitude_mask, pattern_mask, sparsity_of, threshold_mask

WEIGHTS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=1, max_dims=4, max_side=6),
    elements=st.floats(-2, 2, width=16),  # coarse: ties are common
)


@pytest.mark.slow
@given(WEIGHTS, st.floats(0, 0.95))
def test_the_count_is_exact_and_what_goes_is_never_larger_than_what_stays(
    weight: np.ndarray, sparsity: float
) -> None:
    mask = magnitude_mask(weight, sparsity)
    assert mask.shape == weight.shape
    assert int((~mask).sum()) == min(int(np.floor(sparsity * weight.size + 0.5)), weight.size - 1)
    gone, stay = np.abs(weight[~mask]), np.abs(weight[mask])
    assert gone.size == 0 or gone.max() <= stay.min()


@pytest.mark.slow
@given(WEIGHTS, st.floats(0, 0.5), st.floats(0, 0.45))
def test_more_sparsity_keeps_a_part_of_what_less_keeps(weight: np.ndarray, low: float, more: float) -> None:
    wide, narrow = magnitude_mask(weight, low), magnitude_mask(weight, low + more)
    assert not (narrow & ~wide).any()


def test_ties_go_from_the_end() -> None:
    assert magnitude_mask(np.array([1.0, -1.0, 1.0, 1.0], np.float32), 0.5).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_one_weight_always_stays_and_no_number_stays_visible() -> None:
    assert magnitude_mask(np.array([3.0]), 0.95).tolist() == [True]
    assert magnitude_mask(np.array([np.nan, 1.0, 2.0]), 0.6).tolist() == [True, False, False]


def test_threshold_keeps_what_is_above_it() -> None:
    assert threshold_mask(np.array([0.1, -0.5, 0.5001]), 0.5).tolist() == [False, False, True]


def test_sparsity_is_what_the_mask_removes() -> None:
    assert sparsity_of(np.array([True, False, False, True])) == 0.5
    assert sparsity_of(np.empty(0, dtype=np.bool_)) == 0.0


@given(st.integers(1, 3), st.integers(1, 11), st.integers(1, 4), st.sampled_from([(1, 2), (2, 4), (4, 8)]))
def test_of_every_run_of_channels_as_many_stay_as_the_pattern_says(
    outputs: int, channels: int, inner: int, pattern: tuple[int, int]
) -> None:
    stay, of = pattern
    scores = np.random.default_rng(0).normal(size=(outputs, channels * inner))
    mask = pattern_mask(scores, stay, of, inner).reshape(outputs, channels, inner)
    for start in range(0, channels, of):
        run = mask[:, start : start + of]
        assert (run.sum(axis=1) == min(stay, run.shape[1])).all()
        kept = np.where(run, scores.reshape(mask.shape)[:, start : start + of], np.inf).min(axis=1)
        gone = np.where(run, -np.inf, scores.reshape(mask.shape)[:, start : start + of]).max(axis=1)
        assert (kept >= gone).all()
