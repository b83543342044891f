"""Calibration: memory that is known before, and the same ranges however little of it there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.compress.calibration import budget
from studio.compress.calibration.calibrate import watch, watched
from studio.compress.calibration.choosing import range_of
from studio.compress.calibration.ranges import BINS, ROWS
from studio.compress.calibration.watcher import Watcher
from studio.compress.prepare.fold import fold
from studio.compress.repair.equalize import equalize
from studio.compress.work import Work, start
from studio.control import Control
from studio.errors import BuildError
from studio.recipe.resolve import resolve
from studio.recipe.settings import Calibration, Recipe, Settings
from studio.target import load

from .conftest import Samples, inputs_of, residual_net, spread_net


def working(method: Calibration = "minmax") -> tuple[Work, Samples]:
    model = residual_net(8).model("head")
    recipe = Recipe(default=Settings(bits=8), calibration=method, calibration_samples=32)
    target = load(recipe.target)
    work = start(model, resolve(recipe, model.facts, target, calibrated=True), target)
    fold(work)
    return work, Samples("noise", x=inputs_of(model))


def test_the_bound_is_said_before_the_first_sample() -> None:
    work, source = working("entropy")
    said: list[tuple[float, str]] = []
    watch(work, source, Control(lambda fraction, text: said.append((fraction, text))))
    most = budget.budget_for(work, watched(work)).megabytes
    assert said[0] == (0.0, f"calibrating in at most {most} MB")


def test_histograms_and_rows_are_counted() -> None:
    plain, entropy = (budget.budget_for(work, watched(work)) for work, _ in (working(), working("entropy")))
    assert entropy.bytes - plain.bytes == 8 * BINS * sum(len(piece) for piece in plain.pieces)
    work, source = working("entropy")
    kept = 0
    for seen in watch(work, source, Control()).values():
        arrays = (seen.total, seen.rows, None if seen.histogram is None else seen.histogram.counts)
        kept += sum(array.nbytes for array in arrays if array is not None)
        assert seen.rows is None or len(seen.rows) <= ROWS
    assert kept <= entropy.bytes


@pytest.mark.parametrize("method", ["minmax", "percentile", "mse"])
def test_little_memory_gives_the_same_ranges(method: Calibration, monkeypatch: pytest.MonkeyPatch) -> None:
    plenty = watch(*working(method), Control())
    monkeypatch.setattr(budget, "LIMIT", 20_000)
    work, source = working(method)
    tight = budget.budget_for(work, watched(work))
    assert tight.chunk == 1
    assert len(tight.pieces) > 2
    little = watch(work, source, Control())
    assert {name: (seen.low, seen.high) for name, seen in plenty.items()} == {
        name: (seen.low, seen.high) for name, seen in little.items()
    }
    for name, seen in plenty.items():
        near, here = range_of(seen, method), range_of(little[name], method)
        np.testing.assert_allclose([near.low, near.high], [here.low, here.high], rtol=0.05, atol=1e-3)


def test_a_moving_average_lies_inside_the_extremes() -> None:
    for seen in watch(*working("average"), Control()).values():
        inner, outer = range_of(seen, "average"), range_of(seen, "minmax")
        assert outer.low <= inner.low <= inner.high <= outer.high


def test_after_equalization_ranges_follow_to_the_bit_without_another_pass() -> None:
    model = spread_net().model("head")
    recipe, target = Recipe(default=Settings(bits=8), calibration_samples=32), load("onnxruntime-cpu")
    work = start(model, resolve(recipe, model.facts, target, calibrated=True), target)
    source = Samples("noise", x=inputs_of(model))
    fold(work)
    cache: dict[str, Any] = {}
    watcher = Watcher(work, source, cache)
    exponents = equalize(work, watcher.look(Control()), {})
    assert any(each.any() for each in exponents.values())
    watcher.divide(exponents)
    told, anew = watcher.look(Control()), watch(work, source, Control())
    assert len(cache) == 2
    for name, seen in anew.items():
        assert (seen.low, seen.high) == (told[name].low, told[name].high)
        for ours, theirs in ((told[name].reach, seen.reach), (told[name].mean, seen.mean)):
            assert (ours is None) == (theirs is None)
            assert ours is None or np.array_equal(ours, theirs)


def test_what_cannot_be_told_is_looked_at_again() -> None:
    work, source = working("mse")
    cache: dict[str, Any] = {}
    watcher = Watcher(work, source, cache)
    watcher.divide(equalize(work, watcher.look(Control()), {}))
    assert len(cache) == 1


def test_values_that_are_not_finite_are_named() -> None:
    work, source = working()
    source.arrays["x"][3, 0, 2, 2] = np.inf
    with pytest.raises(BuildError, match="not finite"):
        watch(work, source, Control())
