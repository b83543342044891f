from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.measure.statistics import Pairs, mean_interval, median_interval, paired_difference, wilson

counts = st.integers(0, 400)
tables = st.builds(Pairs, counts, counts, counts, counts).filter(lambda pairs: pairs.n > 0)


@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_contains_the_estimate_and_stays_in_range(n, share):
    found = wilson(round(share * n), n)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.integers(1, 500), st.integers(1, 500))
def test_wilson_is_symmetric(one, other):
    n = one + other
    up, down = wilson(one, n), wilson(other, n)
    assert up.low == pytest.approx(1 - down.high)
    assert up.high == pytest.approx(1 - down.low)


@given(tables)
def test_paired_contains_the_estimate_and_stays_in_range(pairs):
    found = paired_difference(pairs)
    assert -1 <= found.low <= found.value <= found.high <= 1


@given(tables)
def test_paired_turns_around_with_the_models(pairs):
    found = paired_difference(pairs)
    turned = paired_difference(Pairs(pairs.both, pairs.second_only, pairs.first_only, pairs.neither))
    assert (found.low, found.high) == (pytest.approx(-turned.high), pytest.approx(-turned.low))


@given(tables)
def test_paired_shrinks_with_more_of_the_same(pairs):
    more = Pairs(*(4 * each for each in (pairs.both, pairs.first_only, pairs.second_only, pairs.neither)))
    one, four = paired_difference(pairs), paired_difference(more)
    assert four.high - four.low <= one.high - one.low + 1e-12


def test_wilson_matches_a_published_value():
    found = wilson(81, 263)  # Newcombe 1998, Statistics in Medicine 17, 857-872, table I: 0.2553 to 0.3662
    assert (found.low, found.high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))


def test_paired_is_far_tighter_than_two_separate_intervals():
    pairs = Pairs(900, 12, 8, 80)
    found = paired_difference(pairs)
    alone = wilson(pairs.second, pairs.n)
    assert found.half < 0.6 * alone.half


@pytest.mark.parametrize("n", [60, 300])
def test_paired_covers_the_truth(n):
    rng = np.random.default_rng(5)
    chances = np.array([0.85, 0.05, 0.03, 0.07])
    truth = chances[2] - chances[1]
    found = [paired_difference(Pairs(*rng.multinomial(n, chances).tolist())) for _ in range(2000)]
    covered = np.mean([each.low <= truth <= each.high for each in found])
    assert 0.94 <= covered <= 0.99


def test_mean_interval_covers_the_truth():
    rng = np.random.default_rng(6)
    found = [mean_interval(rng.normal(3, 2, 12)) for _ in range(1000)]
    assert 0.93 <= np.mean([each.low <= 3 <= each.high for each in found]) <= 0.97


def test_one_value_says_nothing_about_the_mean():
    found = mean_interval([4.0])
    assert (found.value, found.low, found.high) == (4.0, float("-inf"), float("inf"))


def test_median_interval_covers_the_truth():
    rng = np.random.default_rng(7)
    found = [median_interval(rng.exponential(1, 25)) for _ in range(1000)]
    covered = np.mean([each.low <= np.log(2) <= each.high for each in found])
    assert 0.94 <= covered <= 0.99
