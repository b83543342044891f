"""What opens below the layers, and the palette: inspector, history, every command by a few letters."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.gui.figures.answers import Answers
from studio.gui.history import History
from studio.gui.inspector.panel import Inspector
from studio.gui.main_window import MainWindow
from studio.gui.plots.chart import two_lines
from studio.recipe.settings import Settings

_SECONDS = 40_000


@pytest.mark.slow
def test_the_inspector_follows_selection_and_edits(opened: MainWindow, qtbot: QtBot) -> None:
    page, name = opened.page, opened.bridge.session.facts.layers[3].name
    opened.actions_["page_layer"].trigger()
    assert (page.shown_page, opened.edges.foot.pages["layer"].isChecked()) == ("layer", True)
    page.graph.selected.emit((name,))
    inspector = page.of(Inspector)
    qtbot.waitUntil(lambda: inspector.view is not None and inspector.view.layer == name, timeout=_SECONDS)
    assert inspector.view is not None
    assert inspector.view.sqnr_db is None
    assert "FP32" in inspector.text
    opened.bridge.edit((name,), Settings(bits=4))
    qtbot.waitUntil(lambda: bool(inspector.view and inspector.view.grid), timeout=_SECONDS)
    assert 2 <= len(inspector.view.grid) <= 16
    assert sum(inspector.view.after) == inspector.view.count
    assert "INT4" in inspector.text
    assert name in inspector.histogram.accessibleName()
    qtbot.waitUntil(lambda: inspector.activations.known, timeout=_SECONDS)
    given = inspector.activations.view
    assert given is not None
    assert sum(given.after) == sum(given.before)
    assert "n = 64" in inspector.activations.accessibleDescription()
    assert not inspector.curve.known
    assert inspector.measure.isVisible()
    _history_goes_back(opened)


def _history_goes_back(window: MainWindow) -> None:
    window.actions_["page_history"].trigger()
    history, journal = window.page.of(History), window.bridge.session.journal
    assert history.list.count() == len(journal.steps)
    assert "bits 4" in history.list.item(0).text()
    history.list.itemClicked.emit(history.list.item(1))
    assert window.bridge.session.journal.at == journal.at - 1


@pytest.mark.slow
def test_the_palette_finds_verbs_presets_and_layers(opened: MainWindow, qtbot: QtBot) -> None:
    palette, session = opened.palette_, opened.bridge.session
    opened.activateWindow()
    opened.actions_["palette"].trigger()
    assert palette.isVisible()
    QTest.keyClicks(palette.field, "int8")
    assert palette.list.item(0).text().startswith("int8")
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert not palette.isVisible()
    assert {layer.bits for layer in session.plan().layers} == {8}
    opened.actions_["palette"].trigger()
    QTest.keyClicks(palette.field, "block2 depth")
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert opened.page.layers.view.names() == ("stage2/block2/depthwise/conv",)
    opened.actions_["palette"].trigger()
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


@pytest.mark.slow
def test_changed_answers_are_shown_as_pictures(opened: MainWindow, qtbot: QtBot) -> None:
    answers, session = opened.page.of(Answers), opened.bridge.session
    opened.actions_["page_answers"].trigger()
    assert answers.none.isVisible()
    opened.bridge.edit(("*",), Settings(bits=2))
    qtbot.waitUntil(lambda: answers.list.count() > 0, timeout=_SECONDS)
    qtbot.waitUntil(lambda: len(answers._pictures) >= answers.list.count(), timeout=_SECONDS)
    assert session.measured is not None
    assert session.measured.comparison is not None
    flips = {flip.sample: flip for flip in session.measured.comparison.flips}
    assert answers.list.count() == min(len(flips), 48)
    assert "→" in answers.list.item(0).text()
    assert "of 200 answers changed" in answers.remark.text()


def test_labels_of_edits_keep_the_end_of_a_path() -> None:
    assert two_lines("stage1/block1/conv2/conv: bits 4", 18) == "block1/conv2/conv\nbits 4"
    assert two_lines("preset int8", 18) == "preset int8"
    assert two_lines("a-name-without-any-path: bits 4", 12) == "a-name…-path\nbits 4"
