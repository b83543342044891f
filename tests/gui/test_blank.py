"""Before a model is open: help, settings, jobs, tour and boards work; a board's release can be opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.control import Control
from studio.gui.main_window import MainWindow
from studio.gui.options.panel import OptionsPanel
from studio.gui.welcome.help import HelpPanel
from studio.gui.work import START
from studio.recipe.settings import Settings

_SECONDS = 120_000


def _offered(window: MainWindow) -> list[str]:
    return [key for key, button in window.edges.foot.pages.items() if button.isVisible()]


@pytest.mark.slow
def test_panels_that_need_no_model_take_the_place_of_the_start_view(window: MainWindow) -> None:
    assert _offered(window) == [START, "jobs", "options", "help"]
    assert not window.actions_["page_auto"].isEnabled()
    window.actions_["help"].trigger()
    help_ = window.page.of(HelpPanel)
    assert help_.isVisible()
    assert help_.topic == START
    assert not window.start.isVisible()
    window.edges.foot.pages["options"].click()
    assert window.page.of(OptionsPanel).table.isVisible()
    assert window.page.of(OptionsPanel).source.index(0, 1).data()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.start.isVisible()
    assert window.edges.foot.pages[START].isChecked()


@pytest.mark.slow
def test_boards_stand_beside_the_start_view(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_["page_jobs"].trigger()
    window.actions_["boards"].setChecked(True)
    assert window.start.isVisible()
    assert window.page.boards.isVisible()
    qtbot.waitUntil(lambda: window.page.boards.chosen == "this-computer", timeout=_SECONDS)
    window.actions_["boards"].setChecked(False)
    assert not window.page.boards.isVisible()


@pytest.mark.slow
def test_the_tour_brings_the_sample_where_nothing_is_open(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_["tour"].trigger()
    qtbot.waitUntil(window.tour.isVisible, timeout=_SECONDS)
    assert not window.page.blank
    assert "plots" in _offered(window)


@pytest.mark.slow
def test_the_active_release_of_a_board_is_opened(window: MainWindow, qtbot: QtBot, net: Path) -> None:
    session = window.bridge.session
    release, before = _push(window, net), session.state.opening
    window.activateWindow()
    window.start.board_wanted.emit()
    qtbot.waitUntil(window.palette_.isVisible, timeout=_SECONDS)
    assert window.palette_.list.item(0).text().startswith("this-computer")
    assert window.palette_.list.item(1).text() == "Add a board…"
    QTest.keyClick(window.palette_.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: session.state.opening != before, timeout=_SECONDS)
    opened = Path(session.facts.path)
    assert (opened.stem, opened.parent.parent.name) == (release, "pulled")


def _push(window: MainWindow, net: Path) -> str:
    """The name of the release that is active there now."""
    session = window.bridge.session
    session.open(net, Control())
    session.set_layers(("*",), Settings(bits=8))
    return session.push("this-computer", Control()).value.release


@pytest.mark.slow
def test_a_board_without_a_release_is_told(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.bridge.failed, timeout=_SECONDS):
        window.bridge.open_release("this-computer")
    assert "this-computer" in window.edges.notice.text
    assert window.start.isVisible()
