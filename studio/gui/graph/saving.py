"""Asks where the picture of the graph goes, without blocking the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from studio.errors import StudioError
from studio.gui.graph import export
from studio.gui.texts.texts import T

if TYPE_CHECKING:
    from studio.gui.graph.view import GraphView


def ask(view: GraphView, way: str) -> None:
    """Keep the graph as `svg` or `png` in a file, or `copy` it; a failure goes to `view.failed`."""
    if view.shown.facts is None:
        return
    if way == "copy":
        _try(view, None)
        return
    dialog = QFileDialog(view, T.graph_picture_title, "", T.graph_picture_filter)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(way)
    dialog.selectFile(f"{Path(view.shown.facts.name).stem}.{way}")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda path: _try(view, Path(path)))
    dialog.open()


def _try(view: GraphView, path: Path | None) -> None:
    try:
        if path is None:
            QGuiApplication.clipboard().setImage(export.picture(view.shown, view.canvas.faces))
        else:
            export.save(view.shown, view.canvas.faces, path)
    except StudioError as error:
        view.failed.emit(error)
