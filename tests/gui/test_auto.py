"""The Auto panel: dots of what was measured, going back by a click, budgets as fields and lines, a search."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from studio.artifact import Artifact
from studio.gui.auto import words
from studio.gui.auto.dots import Dot, speed_class, speed_limits
from studio.gui.auto.form import Form
from studio.gui.auto.model import DotsModel
from studio.gui.auto.panel import AutoPanel
from studio.gui.auto.scatter import decades
from studio.gui.bridge import SEARCH
from studio.gui.main_window import MainWindow
from studio.metrics import HERE, Comparison, Figure
from studio.recipe.settings import Recipe, Settings
from studio.search.budgets import SOLVER, Budgets, Effort, Excess
from studio.search.front import Found, Visited
from tests.gui.as_text import picture
from tests.gui.conftest import measured

_SECONDS = 60_000


def _dot(bits: int, size: int, value: float, latency: float | None, front: bool) -> Dot:
    figure = Figure(value, "pp", 500, HERE, value - 0.5, value + 0.5)
    return Dot(Recipe(default=Settings(bits=bits)), f"all at {bits} bits", size, figure, latency, front)


_DOTS = (
    _dot(8, 294_000, -0.1, 0.31, True),
    _dot(6, 230_000, -0.9, 0.4, False),
    _dot(4, 160_000, -0.4, None, True),
)


def test_recipes_are_listed_newest_first_and_unbeaten_ones_are_marked(qtbot: QtBot) -> None:
    model = DotsModel()
    model.show_dots(_DOTS, _DOTS[0].recipe)
    assert picture(model) == (
        "Recipe | Bytes | Difference, pp | Latency\n"
        "★ all at 4 bits | 160 KB | −0.40 ± 0.50 | –\n"
        "all at 6 bits | 230 KB | −0.90 ± 0.50 | 0.4 ms\n"
        "★ all at 8 bits | 294 KB | −0.10 ± 0.50 | 0.31 ms"
    )


def test_shapes_tell_the_thirds_of_the_times() -> None:
    assert [speed_class(dot.latency, _DOTS) for dot in _DOTS] == [0, 1, None]
    assert speed_limits(_DOTS) == ((0.31, 0.31), (0.4, 0.4))


def test_the_size_axis_has_round_ticks() -> None:
    assert [text for _, text in decades(4.9, 6.1)] == ["100 KB", "200 KB", "500 KB", "1.00 MB"]


def test_fields_and_dragged_lines_are_the_same_budgets(qtbot: QtBot) -> None:
    form = Form()
    qtbot.addWidget(form)
    assert form.budgets == Budgets(max_drop=1.0)
    form.ticks["max_bytes"].setChecked(True)
    form.drag("max_bytes", 123_456.0)
    form.drag("max_drop", 0.5)
    assert form.budgets == Budgets(max_drop=0.5, max_bytes=123_500)


def test_effort_and_place_are_those_of_the_fields(qtbot: QtBot) -> None:
    form = Form()
    qtbot.addWidget(form)
    fields = form.effort
    assert fields.effort == SOLVER
    assert fields.minutes.text() == fields.trials.text() == "solver only"
    fields.minutes.setValue(2.5)
    fields.trials.setValue(40)
    fields.holdout.setChecked(True)
    assert fields.effort == Effort(trials=40, minutes=2.5, holdout=True)
    fields.show_places(("pi", "jetson"))
    with qtbot.waitSignal(form.changed):
        fields.place.setCurrentIndex(2)
    assert form.budgets.place == "jetson"
    fields.show_places(("jetson",))
    assert form.budgets.place == "jetson"
    fields.show_places(())
    assert form.budgets.place == "here"


def test_half_of_the_original_time_is_suggested_once(qtbot: QtBot) -> None:
    form = Form()
    qtbot.addWidget(form)
    form.suggest_latency(0.8)
    form.suggest_latency(4.0)
    assert form.fields["max_latency"].value() == pytest.approx(0.4)
    assert form.budgets.max_latency is None


def test_a_missed_budget_is_told_with_its_amount() -> None:
    text = words.missed(Excess("max_bytes", 100_000, 12_000))
    assert text == "“File at most” of 100 KB is missed by 12.0 KB."


def test_the_outcome_names_what_held_out_samples_say() -> None:
    chosen, held_out = (
        Figure(-0.4, "pp", 500, HERE, -0.9, 0.1),
        Figure(-1.2, "pp", 6000, HERE, -1.5, -0.9),
    )
    artifact = Artifact("", "sha", 12_000, "", "", "", "", (), 0.0)
    best = Visited(Recipe(), "all at 4 bits", artifact, Comparison("top-1", chosen, chosen, chosen, ()))
    judged = Comparison("top-1", held_out, held_out, held_out, ())
    assert "held out: −1.20 ± 0.30 pp, n = 6 000" in words.told(Found(best, (), (best,), judged))
    assert "held out" not in words.told(Found(best, (), (best,)))


@pytest.mark.slow
def test_a_click_on_a_dot_goes_back_there_and_can_be_undone(opened: MainWindow, qtbot: QtBot) -> None:
    panel, session = opened.page.of(AutoPanel), opened.bridge.session
    opened.actions_["page_auto"].trigger()
    for bits in (8, 4):
        opened.bridge.edit(("*",), Settings(bits=bits))
        qtbot.waitUntil(lambda: measured(opened), timeout=_SECONDS)
    panel.draw()
    assert len(panel.dots) == 3
    eight = next(dot for dot in panel.dots if "bits 8" in dot.label)
    panel.go(eight)
    assert session.recipe == eight.recipe
    opened.bridge.redo()
    assert session.plan().layers[1].bits == 4
    session.goto(0)
    opened.bridge.edit(("*",), Settings(bits=2))  # The states ahead are gone, their dots are not
    panel.draw()
    assert eight.recipe in [dot.recipe for dot in panel.dots]
    panel.go(eight)
    assert session.recipe == eight.recipe
    opened.bridge.undo()
    assert session.plan().layers[1].bits == 2


@pytest.mark.slow
def test_a_search_is_begun_and_stopped_by_its_button(opened: MainWindow, qtbot: QtBot) -> None:
    panel, before = opened.page.of(AutoPanel), opened.bridge.session.recipe
    opened.actions_["page_auto"].trigger()
    qtbot.waitUntil(lambda: panel.form.run.isEnabled())
    panel.form.run.click()
    assert opened.bridge.busy(SEARCH)
    qtbot.waitUntil(lambda: panel.form.run.text() == "Cancel")
    panel.form.run.click()
    qtbot.waitUntil(lambda: panel.form.run.text() == "Find a recipe", timeout=_SECONDS)
    assert opened.bridge.session.recipe == before
    assert "your recipe is as it was" in panel.story.text()


def test_a_search_that_has_ended_is_over_though_its_lane_is_still_at_it(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, bridge = window.page.of(AutoPanel), window.bridge
    monkeypatch.setattr(bridge, "busy", lambda lane: True)
    with qtbot.waitSignal(bridge.ended):
        panel.form.wanted.emit(True)  # nothing is open: it ends at once
    panel.draw()
    assert panel.form.run.text() == "Find a recipe"
