"""The chooser of targets, over a real engine: what it offers, what it changes, and what cards say of it."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from studio import target
from studio.gui.main_window import MainWindow

from .conftest import measured

_SECONDS = 30_000


def _rows(window: MainWindow) -> list[tuple[str, bool]]:
    menu = window.edges.toolbar.targets
    menu.fill()
    return [(each.text(), each.isChecked()) for each in menu.actions() if not each.isSeparator()]


@pytest.mark.slow
def test_the_menu_offers_this_computer_first_and_marks_what_is_chosen(opened: MainWindow) -> None:
    rows = _rows(opened)
    assert rows[0][0].startswith("This computer (")
    assert [text for text, checked in rows if checked] == [target.here().title]
    assert {target.load(name).title for name in target.names()} < {text for text, _ in rows}


@pytest.mark.slow
def test_a_choice_is_an_edit_and_figures_of_another_cpu_say_so(opened: MainWindow, qtbot: QtBot) -> None:
    session, arm = opened.bridge.session, target.load("onnxruntime-cpu-arm")
    menu = opened.edges.toolbar.targets
    menu.fill()
    next(each for each in menu.actions() if each.text() == arm.title).trigger()
    assert session.target == arm
    qtbot.waitUntil(lambda: measured(opened), timeout=_SECONDS)
    qtbot.waitUntil(lambda: f"built for {arm.title}" in opened.page.cards.accuracy.face.why, timeout=_SECONDS)
    assert opened.page.cards.accuracy.face.source.startswith("not on the target's CPU")
    opened.actions_["undo"].trigger()
    assert session.target == target.here()
    qtbot.waitUntil(lambda: measured(opened), timeout=_SECONDS)
