"""PySide6 6.12.0 on Python 3.10 and 3.11 loses a reference of None in every void call, and dies."""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot


def test_void_calls_keep_the_references_of_none(qtbot: QtBot) -> None:
    label = QLabel()
    qtbot.addWidget(label)
    before = sys.getrefcount(None)
    for _ in range(300):
        label.setVisible(False)
    assert abs(sys.getrefcount(None) - before) < 50
