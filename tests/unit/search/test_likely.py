"""Losses on other samples: what was counted and what noise foretells, each by how well it is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.artifact import Artifact
from studio.metrics import Comparison, Figure, Sensitivity
from studio.recipe.settings import Recipe
from studio.search.curves import curves
from studio.search.front import Found, Visited, likeliest, steady
from studio.search.likely import likely


def figure(drop: float, n: int, error: float | None = None) -> Figure:
    ends = (None, None) if error is None else (-drop - 1.96 * error, -drop + 1.96 * error)
    return Figure(-drop, "pp", n, "measured here", *ends)


def seen(size: int, drop: float, sqnr: float, n: int = 100, error: float | None = None) -> Visited:
    found = figure(drop, n, error)
    comparison = Comparison("top-1", found, found, found, (), sqnr_db=sqnr)
    return Visited(Recipe(), str(size), Artifact("", str(size), size, "", "", "", "", (), 0.0), comparison)


def test_many_samples_are_believed_and_few_are_not() -> None:
    few = likely([(figure(2.0, 256), 20.0), (figure(0.0, 256), 20.0)])
    many = likely([(figure(2.0, 1 << 20), 20.0), (figure(0.0, 1 << 20), 20.0)])
    assert few[0] - few[1] < 1.0
    assert many == pytest.approx([2.0, 0.0], abs=0.15)


def test_curves_are_smoothed_by_noise() -> None:
    def row(group: str, drop: float, sqnr: float) -> Sensitivity:
        return Sensitivity(group, "bits=4", figure(drop, 256), sqnr, 1)

    known = curves([row("a", 2.0, 20.0), row("b", 0.0, 20.0)])
    assert 2.0 > known["a"].loss(4, 0.0) > known["b"].loss(4, 0.0) > 0.0


def test_what_does_not_differ_loses_nothing() -> None:
    assert likely([(figure(0.0, 100), None), (figure(3.0, 100), 10.0)])[0] == 0.0
    assert likely([]) == []


def test_where_nothing_was_lost_less_noise_is_still_better() -> None:
    quiet, loud = likely([(figure(-0.1, 4000), 40.0), (figure(-0.1, 4000), 30.0)])
    assert 0 < quiet < loud


@given(st.lists(st.tuples(st.floats(-100, 100), st.integers(1, 10**6), st.floats(-40, 300)), max_size=12))
def test_a_likely_loss_is_a_number_from_0_up(rows: list[tuple[float, int, float]]) -> None:
    losses = likely([(figure(drop, n), sqnr) for drop, n, sqnr in rows])
    assert all(np.isfinite(loss) and loss >= 0 for loss in losses)


def test_losses_are_nearer_to_the_truth_than_the_counts() -> None:
    """Files whose true loss is 30 points times their noise power, give or take, counted on 1,000 samples."""
    rng = np.random.default_rng(0)
    noises = 10 ** -rng.uniform(1.5, 3.8, 200)
    truth = 30 * noises * rng.lognormal(0.0, 0.5, 200)
    errors = 100 * np.sqrt(2 * np.sqrt(noises) * 0.2 / 1000)
    counted = truth + errors * rng.normal(size=200)
    rows = zip(counted, errors, noises, strict=True)
    told = likely([(figure(drop, 1000, error), float(-10 * np.log10(noise))) for drop, error, noise in rows])
    assert np.mean(np.abs(np.array(told) - truth)) < 0.5 * np.mean(np.abs(counted - truth))


def test_luck_does_not_push_the_steady_out_of_the_front() -> None:
    small = seen(50, 2.0, 10.0, 4000, 0.4)
    lucky = seen(80, -0.1, 23.0, 4000, 0.2)
    large = seen(150, 0.0, 36.0, 4000, 0.08)
    beaten = seen(160, 0.1, 35.0, 4000, 0.08)
    found = Found(large, (), (small, lucky, large, beaten))
    assert found.front == (small, lucky)
    assert found.steady == steady(found.visited) == (small, lucky, large)
    assert likeliest(found.visited, 150) == large
    assert likeliest(found.visited, 149) == lucky
    assert likeliest(found.visited, 49) is None
