"""The window follows a slider: it is ready before, and ends in one figure for where it was let go."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from studio.control import Cancelled, Control
from studio.gui.bridge import MEASURE, READY
from studio.gui.figures.cards import Face
from studio.gui.main_window import MainWindow
from studio.jobs import Outcome
from studio.metrics import Prepared, Sensitivity
from studio.project.changes import Changed, Measured
from studio.recipe.settings import Recipe, Settings

_SECONDS = 120_000
EVENTS, EVERY_MS = 200, 25
EIGHT = Recipe(default=Settings(bits=8), repair=("equalize", "bias"), calibration_samples=32)


def _values(window: MainWindow, lane: str) -> list[object]:
    """What jobs of a lane come to from now on."""
    found: list[object] = []

    def note(outcome: Outcome) -> None:
        if outcome.lane == lane and isinstance(outcome.value, Changed):
            found.append(outcome.value.value)

    window.bridge.ended.connect(note)
    return found


@pytest.mark.slow
def test_choosing_a_layer_gets_the_engine_ready_for_its_slider(opened: MainWindow, qtbot: QtBot) -> None:
    ready, bridge = _values(opened, READY), opened.bridge
    bridge.apply_recipe(EIGHT, "int8")
    qtbot.waitUntil(lambda: bridge.session.measured is not None, timeout=_SECONDS)
    opened.page.selection.choose((bridge.session.facts.layers[9].name,))
    qtbot.waitUntil(
        lambda: any(isinstance(each, Prepared) and each.tensors for each in ready), timeout=_SECONDS
    )
    assert all(isinstance(each, Prepared) and each.behind < 1 for each in ready if each != Prepared())


@pytest.mark.slow
def test_the_cards_say_how_far_the_estimates_were_off(opened: MainWindow, qtbot: QtBot) -> None:
    bridge, card, control = opened.bridge, opened.page.cards.difference, Control()
    seen: list[Sensitivity] = []

    def first(row: Sensitivity) -> None:
        seen.append(row)
        if len(seen) == 3:
            control.cancel()

    with pytest.raises(Cancelled):
        bridge.session.sensitivity(control, first, rounds=1)
    shown: list[Face] = []
    bridge.changed.connect(lambda _: shown.append(card.face))
    bridge.apply_recipe(EIGHT, "int8")
    qtbot.waitUntil(lambda: bridge.session.estimate_error[1] is not None, timeout=_SECONDS)
    qtbot.waitUntil(lambda: "off by" in card.toolTip(), timeout=_SECONDS)
    assert any(face.ghost and "curves" in face.source for face in shown)
    size, points = bridge.session.estimate_error
    assert points is not None
    assert f"{points:.2f} pp" in card.toolTip()
    assert f"{size:.2f} %" in opened.page.cards.size.toolTip()


@pytest.mark.slow
def test_a_drag_ends_in_one_figure_for_where_it_was_let_go(opened: MainWindow, qtbot: QtBot) -> None:
    bridge, measured, sent = opened.bridge, _values(opened, MEASURE), list[int]()
    bridge.apply_recipe(EIGHT, "int8")
    qtbot.waitUntil(lambda: bridge.session.measured is not None, timeout=_SECONDS)
    name = bridge.session.facts.layers[9].name

    def move() -> None:
        opened.page.layers.view.edited.emit((name,), Settings(bits=2 + len(sent) % 6), "one drag")
        sent.append(1)
        if len(sent) == EVENTS:
            slider.stop()

    slider = QTimer()
    slider.timeout.connect(move)
    slider.start(EVERY_MS)
    qtbot.waitUntil(lambda: len(sent) == EVENTS, timeout=_SECONDS)
    qtbot.waitUntil(
        lambda: bridge.session.measured is not None and not bridge.busy(MEASURE), timeout=_SECONDS
    )

    def finals() -> list[int]:
        return [each.revision for each in measured if isinstance(each, Measured)]

    qtbot.waitUntil(lambda: bridge.session.state.revision in finals(), timeout=_SECONDS)  # told a turn later
    assert finals().count(bridge.session.state.revision) == 1
    assert len([step for step in bridge.session.journal.steps if "bits" in step.label]) == 1


@pytest.mark.slow
def test_colouring_by_noise_measures_it(qtbot: QtBot, opened: MainWindow) -> None:
    bridge, graph = opened.bridge, opened.page.graph
    first = bridge.session.facts.layers[0].name
    bridge.edit((first,), Settings(bits=4), "")
    qtbot.waitUntil(
        lambda: bridge.session.measured is not None and not bridge.busy(MEASURE), timeout=_SECONDS
    )
    graph.set_mode("sqnr")
    assert graph.shown.measuring == {"sqnr"}
    qtbot.waitUntil(lambda: not graph.shown.measuring, timeout=_SECONDS)
    assert graph.shown.figures is not None
    assert 0 < graph.shown.figures.of_layer("sqnr", first) < 60
    assert graph.shown.heat.values
