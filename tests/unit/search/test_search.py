"""Budgets become recipes: the solver against brute force, and whole searches on the sample."""

from __future__ import annotations

import ctypes
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.control import Control
from studio.data.reference import DataRef
from studio.errors import RecipeError
from studio.recipe.settings import Settings
from studio.search.budgets import Budgets, excesses, parse_bytes, parse_latency
from studio.search.curves import Curve
from studio.search.knapsack import Limits, Option, native_prints_aside, solve
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

OPTION = st.builds(
    Option,
    st.just(Settings()),
    st.integers(0, 20).map(float),
    st.integers(-3000, 3000).map(float),
    st.just(0.0),
)


@given(st.lists(st.lists(OPTION, min_size=1, max_size=3), min_size=1, max_size=4), st.integers(0, 40))
@settings(max_examples=25, deadline=None)
def test_the_solver_finds_what_trying_everything_finds(options: list[list[Option]], limit: int) -> None:
    chosen = solve(options, Limits(loss=float(limit)))
    possible = [pick for pick in product(*options) if sum(each.loss for each in pick) <= limit]
    if chosen is None:
        assert not possible
        return
    picked = [each[index] for each, index in zip(options, chosen, strict=True)]
    assert sum(each.loss for each in picked) <= limit
    least = min(sum(each.bytes for each in pick) for pick in possible)
    assert sum(each.bytes for each in picked) <= least + 85  # 80 points weigh as much as 80 bytes


def test_what_c_code_prints_stays_off_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    libc = ctypes.CDLL(None)
    with native_prints_aside():
        libc.printf(b"noise\n")
    libc.printf(b"answer\n")
    libc.fflush(None)
    assert capfd.readouterr() == ("answer\n", "noise\n")


def test_least_loss_within_bytes() -> None:
    wide, narrow = Option(Settings(bits=8), 0.1, 800, 0), Option(Settings(bits=4), 0.5, 400, 0)
    assert solve([[wide, narrow], [wide, narrow]], Limits(bytes=1200)) in ((0, 1), (1, 0))
    assert solve([[wide, narrow]], Limits(bytes=100)) is None


@pytest.mark.parametrize(
    ("text", "count"), [("500kB", 500_000), ("1.5 MB", 1_500_000), ("2KiB", 2048), ("99", 99)]
)
def test_sizes_are_read(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "kB", "1.2.3kB", "5 parsec", "-3kB"])
def test_odd_sizes_are_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="500kB"):
        parse_bytes(text)


def test_latencies_are_read_with_their_place() -> None:
    assert parse_latency("3ms") == parse_latency("3ms@here") == parse_latency("0.003 s") == (3.0, "here")
    assert parse_latency("250us@pi") == (0.25, "pi")
    for text in ("fast", "3ms@", "3 hours"):
        with pytest.raises(RecipeError, match="3ms@BOARD"):
            parse_latency(text)


def test_a_missed_budget_says_by_how_much() -> None:
    missed = excesses(Budgets(max_drop=1.0, max_bytes=1000), drop=1.25, size=900, latency=None)
    assert [str(each) for each in missed] == ["max drop of 1.00 points is missed by 0.25 points"]


def test_between_stops_noise_power_decides() -> None:
    curve = Curve(bits={32.0: 0.0, 8.0: 0.0, 4.0: 4.0})
    assert curve.loss(8, 0.0) == 0.0
    assert curve.loss(5, 0.0) == pytest.approx(1.0, abs=0.02)  # a quarter of the noise of 4 bits
    assert curve.loss(3, 0.0) == pytest.approx(16.0)


@pytest.mark.slow
def test_a_search_meets_its_budgets_beats_uniform_widths_and_is_one_step_of_undo(
    sample: Path, sample_data: Path
) -> None:
    session = Session(LocalWorkbench(threads=1))
    session.open(sample, Control())
    session.attach_data(DataRef(str(sample_data), None, 300), Control())
    before, steps = session.recipe, len(session.journal.steps)
    found = session.search(Budgets(max_drop=1.0), Control()).value
    assert not found.fails
    uniform = {each.label: each for each in found.visited if each.label.startswith("all at")}
    assert found.best.artifact.bytes < uniform["all at 4 bits"].artifact.bytes
    assert found.best.drop <= 1.0
    assert session.recipe == found.best.recipe
    assert session.measured is not None
    assert session.measured.artifact.sha256 == found.best.artifact.sha256
    assert len(session.journal.steps) == steps + 1
    session.undo()
    assert session.recipe == before
    nearest = session.search(Budgets(max_drop=0.5, max_bytes=1000), Control())
    assert nearest.value.fails[-1].budget == "max_bytes"
    assert "is missed by" in nearest.notes[0]
    session.close()
