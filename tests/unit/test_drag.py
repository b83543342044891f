"""A slider that is dragged: many edits, one final figure, for where it was let go."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from studio.control import Control
from studio.data.reference import DataRef
from studio.jobs import Lanes, Outcome
from studio.metrics import DRAFT, HERE
from studio.project.changes import Measured
from studio.recipe.settings import Recipe, Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench
from studio.workbench.process import ProcessWorkbench

EVENTS, SECONDS = 200, 5.0


@pytest.mark.slow
def test_200_slider_events_in_5_s_end_in_one_figure_for_the_last(sample: Path, sample_data: Path) -> None:
    session = Session(ProcessWorkbench(LocalWorkbench))
    outcomes: list[Outcome] = []
    lanes = Lanes(outcomes.append)
    session.open(sample, Control())
    session.attach_data(DataRef(str(sample_data), None, 200), Control())
    session.apply_recipe(Recipe(default=Settings(bits=8), repair=("equalize", "bias")))
    session.measure(Control())
    name = session.facts.layers[9].name
    session.prepare([name], Control())
    for event in range(EVENTS):
        session.set_layers([name], Settings(bits=2 + event % 6), drag="one drag")
        lanes.submit("measure", lambda control: session.measure(control).value)
        time.sleep(SECONDS / EVENTS)
    assert lanes.wait("measure", 60.0)
    finals = [each.value for each in outcomes if each.value is not None]
    assert [each for each in outcomes if each.error is not None] == []
    last = finals[-1]
    assert isinstance(last, Measured)
    assert last.revision == session.state.revision
    assert [each.revision for each in finals if isinstance(each, Measured)].count(last.revision) == 1
    assert len(outcomes) == EVENTS
    lanes.close()
    session.close()


@pytest.mark.slow
def test_a_draft_comes_first_where_rounding_is_learned_and_says_so(sample: Path, sample_data: Path) -> None:
    session = Session(LocalWorkbench(threads=1))
    session.open(sample, Control())
    session.attach_data(DataRef(str(sample_data), None, 64), Control())
    session.apply_recipe(Recipe(default=Settings(bits=4), calibration_samples=32))
    streamed: list[Measured] = []
    measured = session.measure(Control(), streamed.append).value
    first = next(each.comparison for each in streamed if each.comparison is not None)
    assert (first.difference.source, first.difference.final) == (DRAFT, False)
    assert measured.comparison is not None
    assert (measured.comparison.difference.source, measured.comparison.difference.final) == (HERE, True)
    assert session.artifact == measured.artifact
    assert len(session.history) == 1
    session.close()
