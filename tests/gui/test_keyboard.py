"""Without a mouse and without eyes: names for readers, Tab in the order of the window, focus seen."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from studio.gui import focus
from studio.gui.bridge import MEASURE
from studio.gui.layers.columns import Column
from studio.gui.main_window import MainWindow
from studio.gui.pages import PAGES

_SECONDS = 120_000
_KEY, _CONTROL = Qt.Key, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def working(window: MainWindow, qtbot: QtBot, net: Path) -> MainWindow:
    """The window with a small net open and the boards beside it, as the keyboard's own window."""
    window.resize(1500, 940)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.files.open(str(net))
    qtbot.waitUntil(lambda: not window.page.blank and not window.bridge.busy(MEASURE), timeout=_SECONDS)
    window.actions_["boards"].setChecked(True)
    qtbot.waitUntil(lambda: window.page.boards.detail.push.isEnabled(), timeout=_SECONDS)
    return window


def _name(widget: QWidget) -> str:
    told = QAccessible.queryAccessibleInterface(widget)
    return told.text(QAccessible.Text.Name) if told is not None else widget.accessibleName()


def _unnamed(window: MainWindow) -> Iterator[str]:
    for widget in focus.stops(window):
        if not _name(widget):
            around, chain = widget, []
            while around is not window and around is not None:
                chain.append(type(around).__name__)
                around = around.parentWidget()
            yield " in ".join(chain)


@pytest.mark.slow
def test_everything_that_takes_the_focus_has_a_name(working: MainWindow, qtbot: QtBot) -> None:
    for page in PAGES:
        working._show_page(page.key)
        QApplication.processEvents()
        assert list(_unnamed(working)) == [], page.key
        assert working.edges.foot.pages[page.key] in focus.stops(working)


@pytest.mark.slow
def test_the_empty_window_has_names_too(window: MainWindow) -> None:
    for key in ("start", "jobs", "options", "help"):
        window._show_page(key)
        assert list(_unnamed(window)) == [], key


@pytest.mark.slow
def test_tab_goes_through_the_window_as_the_eye_does(working: MainWindow) -> None:
    rooms = (
        working.edges.toolbar,
        working.page._headlines,
        working.page.graph_panel,
        working.page.layers,
        working.page.boards,
        working.page.of(type(working.page._below.currentWidget())),
        working.edges.foot,
    )
    found = [
        next((at for at, room in enumerate(rooms) if room.isAncestorOf(each)), -1)
        for each in focus.stops(working)
    ]
    assert found == sorted(found)
    assert set(found) >= {0, 2, 3, 4, 6}


@pytest.mark.slow
@pytest.mark.parametrize("key", ["plots", "options"])
def test_tab_gets_everywhere_and_the_focus_is_seen(working: MainWindow, key: str) -> None:
    working._show_page(key)
    expected = focus.stops(working)
    expected[-1].setFocus()
    QTest.keyClick(expected[-1], _KEY.Key_Tab)
    for stop in expected:
        assert QApplication.focusWidget() is stop
        assert _shows_focus(working, stop), _name(stop)
        QTest.keyClick(stop, _KEY.Key_Tab)
    assert QApplication.focusWidget() is expected[0]
    QTest.keyClick(expected[0], _KEY.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert QApplication.focusWidget() is expected[-1]


def _shows_focus(window: MainWindow, widget: QWidget) -> bool:
    with_focus = window.grab().toImage()
    widget.clearFocus()
    without = window.grab().toImage()
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    return with_focus != without


def _press(key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    target = QApplication.focusWidget()
    assert target is not None
    QTest.keyClick(target, key, modifier)


def _answer(window: MainWindow, qtbot: QtBot, path: Path) -> None:
    """Type the path into the file dialog, and Enter."""
    qtbot.waitUntil(lambda: any(each.isVisible() for each in window.findChildren(QFileDialog)))
    (dialog,) = (each for each in window.findChildren(QFileDialog) if each.isVisible())
    qtbot.waitUntil(dialog.isActiveWindow)
    field = dialog.focusWidget()
    assert isinstance(field, QLineEdit)
    field.setCompleter(None)  # its popup wants the keyboard, which the offscreen platform has none of
    field.selectAll()
    QTest.keyClicks(field, str(path))
    QTest.keyClick(field, _KEY.Key_Return)
    qtbot.waitUntil(lambda: not dialog.isVisible())
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)


@pytest.mark.slow
def test_the_main_job_is_done_with_keys_alone(
    window: MainWindow, qtbot: QtBot, net: Path, tmp_path: Path
) -> None:
    session, view = window.bridge.session, window.page.layers.view
    model = Path(shutil.copy(net, tmp_path / "net.onnx"))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.start.zone.setFocus()
    _press(_KEY.Key_O, _CONTROL)
    _answer(window, qtbot, model)
    qtbot.waitUntil(lambda: session.document is not None and view.hasFocus(), timeout=_SECONDS)
    _press(_KEY.Key_Home, _CONTROL)
    _press(_KEY.Key_Down)
    assert view.names() == (session.facts.layers[1].name,)
    while view.currentIndex().column() != Column.BITS:
        _press(_KEY.Key_Tab if view.currentIndex().column() < 0 else _KEY.Key_Right)
    for _ in range(2):
        bits = session.plan().layers[1].bits
        _press(_KEY.Key_Right)
        assert session.plan().layers[1].bits < bits
        qtbot.waitUntil(lambda: view.source.rows[1].bits == session.plan().layers[1].bits)
    qtbot.waitUntil(window.actions_["undo"].isEnabled)
    _press(_KEY.Key_Z, _CONTROL)
    assert (session.journal.at, len(session.journal.steps)) == (1, 3)
    _press(_KEY.Key_E, _CONTROL)
    _answer(window, qtbot, tmp_path / "out.onnx")
    qtbot.waitUntil((tmp_path / "out.onnx").is_file, timeout=_SECONDS)
    qtbot.waitUntil(lambda: "Exported" in window.edges.notice.text, timeout=_SECONDS)
    assert session.artifact is not None
    assert hashlib.sha256((tmp_path / "out.onnx").read_bytes()).hexdigest() == session.artifact.sha256
