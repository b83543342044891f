"""F1 opens the page of the panel under the cursor; every panel has one; the tour has five hints."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.gui.main_window import MainWindow
from studio.gui.pages import PAGES
from studio.gui.welcome.help import HelpPanel, topic_of
from studio.gui.work import START
from studio.paths import resource

_TOPICS = sorted([page.key for page in PAGES] + [START, "graph", "layers", "boards"])
_LANGUAGES = [path.stem for path in sorted(resource("texts").glob("*.json"))]


@pytest.mark.parametrize("language", ["", *_LANGUAGES])
def test_every_panel_has_a_page_of_help_in_every_language(language: str) -> None:
    pages = sorted(path.stem for path in resource("help", language).glob("*.md"))
    assert pages == _TOPICS


@pytest.mark.parametrize("language", _LANGUAGES)
def test_pages_of_help_are_translated_whole(language: str) -> None:
    for topic in _TOPICS:
        english, theirs = (
            resource("help", *part, f"{topic}.md").read_text("utf-8") for part in ((), (language,))
        )
        assert _shape(theirs) == _shape(english), topic
        assert theirs.splitlines()[0] != english.splitlines()[0] or topic == "help"


def _shape(page: str) -> tuple[list[str], list[str]]:
    """What a translation must keep: its list items and rows of tables, and what is to be typed."""
    lines = [line[:1] for line in page.splitlines() if line.startswith(("#", "-", "|"))]
    return lines, sorted(re.findall("`[^`]+`", page))


@pytest.mark.slow
def test_help_is_shown_in_the_language_of_the_window(window: MainWindow) -> None:
    help_ = window.page.of(HelpPanel)
    help_.show_topic("jobs", "zh_CN")
    assert help_.text.toPlainText().startswith("任务")
    help_.show_topic("jobs", "tlh")
    assert help_.text.toPlainText().startswith("Jobs")


@pytest.mark.slow
def test_f1_tells_of_the_panel_under_the_cursor(window: MainWindow) -> None:
    page = window.page
    assert topic_of(page.layers.view.viewport(), "plots") == "layers"
    assert topic_of(page.graph.canvas, "plots") == "graph"
    assert topic_of(None, "plots") == "plots"
    help_ = page.of(HelpPanel)
    help_.show_topic("auto")
    assert "Find a recipe" in help_.text.toPlainText()


@pytest.mark.slow
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
