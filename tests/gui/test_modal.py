"""Nothing stands in the user's way but a question before something is destroyed."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from studio.gui.boards.releases import DELETE
from studio.gui.main_window import MainWindow

_SECONDS = 60_000
_ASKING = ("open", "data_file", "data_folder", "recipe_open", "recipe_save", "save", "report", "export")


@pytest.mark.slow
def test_dialogs_that_ask_for_a_file_are_not_modal(window: MainWindow, qtbot: QtBot, net: Path) -> None:
    window.files.open(str(net))
    qtbot.waitUntil(lambda: window.bridge.session.document is not None, timeout=_SECONDS)
    for key in _ASKING:
        window.actions_[key].trigger()
        (dialog,) = _seen(window.findChildren(QFileDialog))
        assert not dialog.isModal(), key
    assert QApplication.activeModalWidget() is None
    dialog.close()


@pytest.mark.slow
def test_a_board_is_added_beside_the_work_and_deleting_asks(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.page.boards
    panel.ask_for_board()
    (dialog,) = _seen(panel.findChildren(QDialog))
    assert not dialog.isModal()
    dialog.close()
    panel._do_release(DELETE, "some-release")
    assert isinstance(panel.question, QMessageBox)
    assert panel.question.isModal()
    panel.question.close()


def _seen(dialogs: list[QFileDialog] | list[QDialog]) -> list[QDialog]:
    return [each for each in dialogs if each.isVisible()]
