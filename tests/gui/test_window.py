"""The window over a real engine: open, slide, undo, measure, drop, export, refuse."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.errors import ModelError
from studio.gui import drops
from studio.gui.looks import shots
from studio.gui.main_window import MainWindow
from studio.gui.plots.page import PlotsPage
from studio.gui.work import START
from studio.metrics import HERE
from studio.recipe import text
from studio.recipe.settings import Recipe, Settings
from studio.session.opening import fresh

_SECONDS = 30_000


def _measured(window: MainWindow) -> bool:
    done = window.bridge.session.measured
    return done is not None and done.comparison is not None


def _drop(window: MainWindow, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button, key = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(40, 40), action, mime, button, key))
    assert window._curtain.isVisible()
    QApplication.sendEvent(window, QDropEvent(QPointF(40, 40), action, mime, button, key))
    assert not window._curtain.isVisible()


@pytest.mark.slow
def test_an_empty_window_offers_a_start(window: MainWindow) -> None:
    assert window.start.isVisible()
    assert window.page.shown_page == START
    assert not window.actions_["export"].isEnabled()
    assert window.actions_["open"].isEnabled()
    assert window.edges.foot.text == "Ready"


def test_an_open_sample_fills_every_view(opened: MainWindow, tmp_path: Path) -> None:
    page, session = opened.page, opened.bridge.session
    assert page.layers.view.source.rowCount() == len(session.facts.layers)
    assert page.graph.shown.facts is session.facts
    assert page.cards.difference.face.value == "0.00 pp"
    assert HERE in page.cards.accuracy.face.source
    assert "n = 200" in page.cards.accuracy.face.source
    page.of(PlotsPage).accuracies.draw()
    page.of(PlotsPage).sizes.draw()
    assert len(page.of(PlotsPage).accuracies.series.points) == 1
    assert "fashion.onnx" in opened.edges.toolbar.title.text()
    assert opened.preferences.recent == (session.facts.path,)
    _select_both_ways(opened)
    for mode in ("light", "dark"):
        opened.choose_theme(mode)
        assert shots.render(opened, tmp_path / f"{mode}.png").stat().st_size > 20_000
        assert opened.preferences.theme == mode


def _select_both_ways(window: MainWindow) -> None:
    page, name = window.page, window.bridge.session.facts.layers[2].name
    page.graph.selected.emit((name,))
    assert page.layers.view.names() == (name,)
    page.layers.view.setCurrentIndex(page.layers.view.proxy.index(4, 0))
    assert page.graph.shown.names == page.layers.view.names()


def test_an_edit_is_seen_at_once_measured_after_and_exported_as_measured(
    opened: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, page = opened.bridge.session, opened.page
    ghosts: list[bool] = []  # a file that was built before follows its estimate within a few milliseconds
    show = page.cards.size.show_face
    monkeypatch.setattr(page.cards.size, "show_face", lambda face: (ghosts.append(face.ghost), show(face)))
    opened.bridge.apply_preset("int8")
    qtbot.waitUntil(lambda: True in ghosts)
    assert page.layers.view.source.rows[0].bits == 8
    qtbot.waitUntil(lambda: _measured(opened), timeout=_SECONDS)
    qtbot.waitUntil(lambda: not page.cards.size.face.ghost)
    assert session.artifact is not None
    assert page.of(PlotsPage).sizes.series.points[-1].value == session.artifact.bytes
    assert page.layers.view.source.rows[0].real
    _save_and_report(opened, qtbot, tmp_path)
    out = tmp_path / "out.onnx"
    opened.files.export(str(out))
    qtbot.waitUntil(lambda: "Exported" in opened.edges.notice.text, timeout=_SECONDS)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == session.artifact.sha256


def _save_and_report(window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    window.files.save(str(folder / "work.trimtab"))
    qtbot.waitUntil(lambda: "Saved" in window.edges.notice.text, timeout=_SECONDS)
    assert drops.kind_of(folder / "work.trimtab") is drops.Kind.MODEL
    window.files.report(str(folder / "report.html"))
    qtbot.waitUntil(lambda: "Report written" in window.edges.notice.text, timeout=_SECONDS)
    assert "<html" in (folder / "report.html").read_text("utf-8")


@pytest.mark.slow
def test_a_drag_is_one_step_of_undo(opened: MainWindow, qtbot: QtBot) -> None:
    session, name = opened.bridge.session, opened.bridge.session.facts.layers[1].name
    steps = len(session.journal.steps)
    for bits in (16, 8, 7, 6):
        opened.page.layers.view.edited.emit((name,), Settings(bits=bits), "drag-1")
    assert len(session.journal.steps) == steps + 1
    qtbot.waitUntil(opened.actions_["undo"].isEnabled)
    opened.actions_["undo"].trigger()
    assert session.recipe == fresh()
    qtbot.waitUntil(opened.actions_["redo"].isEnabled)
    opened.actions_["redo"].trigger()
    assert session.plan().of(name).bits == 6


def test_heavy_work_never_runs_in_the_gui_thread(window: MainWindow, qtbot: QtBot) -> None:
    seen: list[threading.Thread] = []
    gui = threading.current_thread()
    window.bridge.run("probe", "probe", lambda _: seen.append(threading.current_thread()))
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0] is not gui


@pytest.mark.slow
def test_what_is_dropped_is_known_by_its_kind(opened: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.json"
    recipe.write_text(text.dumps(Recipe(name="mine", default=Settings(bits=8))), "utf-8")
    _drop(opened, recipe)
    assert opened.bridge.session.recipe.default.bits == 8
    strange = tmp_path / "holiday.mp3"
    strange.write_bytes(b"ID3")
    _drop(opened, strange)
    assert "holiday.mp3" in opened.edges.notice.text
    assert "Drop a model" in opened.edges.notice.text
    _drop_broken(opened, qtbot, tmp_path)


def _drop_broken(opened: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    """A broken model is told, and what is open stays."""
    before = opened.bridge.session.document
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"this is no model")
    with qtbot.waitSignal(opened.bridge.failed, timeout=_SECONDS) as told:
        _drop(opened, broken)
    assert isinstance(told.args[0], ModelError)
    assert not opened.edges.notice.isHidden()
    assert told.args[0].fix.rstrip(".") in opened.edges.notice.text
    assert opened.bridge.session.document is before


@pytest.mark.slow
def test_a_fault_is_shown_as_one_with_its_trace_to_copy(window: MainWindow, qtbot: QtBot) -> None:
    def broken(_: object) -> object:
        return 1 // 0

    with qtbot.waitSignal(window.bridge.failed):
        window.bridge.run("probe", "probe", broken)
    assert "A fault in Trimtab Studio" in window.edges.notice.text
    window.edges.notice._to_clipboard()
    assert "ZeroDivisionError" in QApplication.clipboard().text()


@pytest.mark.slow
def test_jobs_are_shown_and_can_be_stopped(window: MainWindow, qtbot: QtBot) -> None:
    def endless(control: object) -> None:
        while True:
            control.step(0.5, "half")  # type: ignore[attr-defined]  # Control, as the lane gives it
            threading.Event().wait(0.01)

    window.bridge.run("probe", "Counting", endless)
    qtbot.waitUntil(lambda: "half" in window.edges.foot.text)
    assert window.edges.foot.text == "Counting  ·  half"
    window.edges.foot.stop.emit(window.edges.foot.ticket)
    qtbot.waitUntil(lambda: window.edges.foot.text == "Ready")
    assert window.edges.notice.isHidden()
