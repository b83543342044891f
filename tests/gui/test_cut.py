"""No button and no field is smaller than what it says, in a wide window and in the narrowest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.bridge import MEASURE
from studio.gui.main_window import MainWindow
from studio.gui.pages import PAGES

_SECONDS = 60_000
_SIZES = ((1500, 940), (1280, 720), (960, 680))


def _cut(window: MainWindow) -> Iterator[str]:
    for kind in (QAbstractButton, QComboBox):
        for widget in window.findChildren(kind):
            own = isinstance(widget.parentWidget(), QLineEdit)  # Qt's own picture inside a field
            if widget.isVisible() and not own and _less(widget):
                yield f"{widget.accessibleName()}: {widget.size()} of {widget.minimumSizeHint()}"


def _less(widget: QWidget) -> bool:
    wanted = widget.minimumSizeHint().boundedTo(widget.maximumSize())  # fixed sizes are meant
    return widget.width() < wanted.width() or widget.height() < wanted.height()


@pytest.mark.slow
@pytest.mark.parametrize("size", _SIZES, ids=str)
def test_nothing_is_cut(window: MainWindow, qtbot: QtBot, net: Path, size: tuple[int, int]) -> None:
    window.resize(*size)
    qtbot.waitUntil(lambda: not list(_cut(window)))
    window.files.open(str(net))
    qtbot.waitUntil(lambda: not window.page.blank and not window.bridge.busy(MEASURE), timeout=_SECONDS)
    for boards in (False, True):
        window.actions_["boards"].setChecked(boards)
        for page in PAGES:
            window._show_page(page.key)
            qtbot.waitUntil(lambda: not list(_cut(window)))  # layouts settle with the next events
