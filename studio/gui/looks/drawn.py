"""A drawn view as a picture file: SVG by its suffix, else PNG at twice the size on the screen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsView

from studio.errors import ProjectError

_SCALE = 2


def save_view(view: QGraphicsView, path: str) -> None:
    """Write what `view` shows; raises `ProjectError` where the file cannot be written."""
    saved = _svg(view, path) if path.lower().endswith(".svg") else _png(view, path)
    if not saved:
        raise ProjectError(path, "the picture cannot be written", "Choose another folder, or make room.")


def _svg(view: QGraphicsView, path: str) -> bool:
    made = QSvgGenerator()
    made.setFileName(path)
    made.setSize(view.size())
    made.setViewBox(view.rect())
    painter = QPainter()
    if not painter.begin(made):
        return False
    view.render(painter)
    painter.end()
    return Path(path).is_file()


def _png(view: QGraphicsView, path: str) -> bool:
    image = QImage(view.size() * _SCALE, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    view.render(painter, QRectF(image.rect()), view.rect())
    painter.end()
    return image.save(path)
