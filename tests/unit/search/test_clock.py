"""Times of candidates on a board: measured where it told one, in proportion to the nearest elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.artifact import Artifact
from studio.control import Control
from studio.graph.model import Facts
from studio.metrics import ESTIMATED, Comparison, Figure
from studio.recipe.settings import Recipe, Settings
from studio.search.budgets import Budgets, Timed, Wish
from studio.search.clock import Clock
from studio.search.front import Visited
from studio.workbench.local import LocalWorkbench

EIGHT, FLOAT = Recipe(default=Settings(bits=8)), Recipe(default=Settings(bits=32))
LIMIT = Budgets(max_latency=1.0, place="pi")


@pytest.fixture
def facts(net: Path) -> Facts:
    return LocalWorkbench().open(str(net), Control())


def seen(recipe: Recipe, digest: str) -> Visited:
    figure = Figure(0.0, "pp", 1, "measured here")
    artifact = Artifact("", digest, 1, "", "", "", "", (), 0.0)
    return Visited(recipe, "", artifact, Comparison("top-1", figure, figure, figure, ()))


@pytest.mark.slow
def test_what_the_board_told_stands_and_the_rest_follows_from_it(facts: Facts) -> None:
    clock = Clock(facts, Wish(LIMIT, timed=(Timed(EIGHT, "a", 2.0),)), lambda _: None)
    measured = clock.told(seen(EIGHT, "a"))
    assert (measured.latency, measured.timed) == (2.0, "measured on pi")
    guessed = clock.told(seen(FLOAT, "b"))
    assert (guessed.latency, guessed.timed) == (pytest.approx(4.0), ESTIMATED)
    assert clock.limit([measured]) == pytest.approx(clock.units(EIGHT) / 2)


def test_a_table_of_layers_tells_before_anything_was_timed_and_is_set_right_by_what_was(facts: Facts) -> None:
    table = {EIGHT: 1.0, FLOAT: 1.5}
    early = Clock(facts, Wish(LIMIT), table.get)
    assert early.told(seen(FLOAT, "b")).latency == 1.5
    late = Clock(facts, Wish(LIMIT, timed=(Timed(EIGHT, "a", 2.0),)), table.get)
    assert late.told(seen(FLOAT, "b")).latency == pytest.approx(3.0)


def test_times_of_this_computer_are_left_as_they_are(facts: Facts) -> None:
    for budgets in (Budgets(max_latency=1.0), Budgets(max_drop=1.0, place="pi")):
        clock = Clock(facts, Wish(budgets, timed=(Timed(EIGHT, "a", 2.0),)), lambda _: 9.0)
        assert clock.told(seen(EIGHT, "a")).latency is None
