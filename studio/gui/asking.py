"""File dialogs that do not block: what was chosen is handed to a function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_in(parent: QWidget, title: str, names: str, then: Callable[[str], None]) -> None:
    """Ask for a file of these `names` (Qt's filter), for a folder where there are none."""
    dialog = _dialog(parent, title, names, then)
    kind = QFileDialog.FileMode.ExistingFile if names else QFileDialog.FileMode.Directory
    dialog.setFileMode(kind)
    dialog.show()  # not `open`, which would make it modal


def ask_out(parent: QWidget, title: str, names: str, out: Path, then: Callable[[str], None]) -> None:
    """Ask where to write; `out` is proposed."""
    dialog = _dialog(parent, title, names, then)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(out.suffix[1:])
    dialog.selectFile(str(out))
    dialog.show()  # not `open`, which would make it modal


def _dialog(parent: QWidget, title: str, names: str, then: Callable[[str], None]) -> QFileDialog:
    for earlier in parent.findChildren(QFileDialog):
        earlier.close()  # one question at a time: the last is the one that is meant
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if names:
        dialog.setNameFilter(names)
    dialog.fileSelected.connect(then)
    return dialog
