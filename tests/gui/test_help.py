"""F1 opens the page of the panel under the cursor; every panel has one; the tour has five hints."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.gui.help import HelpPanel, topic_of
from studio.gui.main_window import MainWindow
from studio.gui.pages import PAGES
from studio.paths import resource


def test_every_panel_has_a_page_of_help() -> None:
    topics = [page.key for page in PAGES] + ["graph", "layers", "boards"]
    assert [topic for topic in topics if not resource("help", f"{topic}.md").is_file()] == []


def test_f1_tells_of_the_panel_under_the_cursor(window: MainWindow) -> None:
    page = window.page
    assert topic_of(page.layers.view.viewport(), "plots") == "layers"
    assert topic_of(page.graph.canvas, "plots") == "graph"
    assert topic_of(None, "plots") == "plots"
    help_ = page.of(HelpPanel)
    help_.show_topic("auto")
    assert "Find a recipe" in help_.text.toPlainText()


def test_the_tour_goes_from_hint_to_hint_and_is_offered_once(window: MainWindow, qtbot: QtBot) -> None:
    tour = window.tour
    tour.begin()
    texts = []
    while tour.at < 5 and tour.next.text() != "Done":
        texts.append(tour.text)
        QTest.mouseClick(tour.next, Qt.MouseButton.LeftButton)
    assert len(set(texts)) == 4
    QTest.mouseClick(tour.next, Qt.MouseButton.LeftButton)
    assert tour.isHidden()
    assert window.preferences.toured


def test_every_key_is_one(window: MainWindow) -> None:
    keys = [action.shortcut() for action in window.actions_.all() if not action.shortcut().isEmpty()]
    assert [key.toString() for key in keys if "+1" in key.toString()] == ["Ctrl+1"]
    assert all(key.count() == 1 and key[0].key() != Qt.Key.Key_unknown for key in keys)
