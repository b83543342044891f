"""What the canvas says in place of a graph: drop a model, or wait."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen

from studio.gui.graph.sizes import Faces
from studio.gui.graph.state import Shown
from studio.gui.texts.texts import T

_MIDDLE = Qt.AlignmentFlag.AlignCenter


def empty(painter: QPainter, rect: QRectF, shown: Shown, faces: Faces) -> None:
    """There is no model."""
    theme = shown.theme
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    area = QRectF(0, 0, min(360.0, rect.width() - 32), min(150.0, rect.height() - 32))
    area.moveCenter(rect.center())
    painter.setPen(QPen(QColor(theme.line_strong), 1.5, Qt.PenStyle.DashLine))
    painter.setBrush(QBrush(QColor(theme.surface)))
    painter.drawRoundedRect(area, 12, 12)
    painter.setPen(QColor(theme.text))
    painter.setFont(faces.large)
    painter.drawText(area.adjusted(0, 0, 0, -34), _MIDDLE, T.start_title)
    painter.setPen(QColor(theme.muted))
    painter.setFont(faces.plain)
    painter.drawText(area.adjusted(0, 44, 0, 0), _MIDDLE, T.graph_hint)


def waiting(painter: QPainter, rect: QRectF, shown: Shown, faces: Faces) -> None:
    """A layout is under way."""
    theme = shown.theme
    text = T.graph_waiting.format(n=f"{len(shown.facts.nodes):,}" if shown.facts else "")
    area = QRectF(0, 0, faces.width(faces.title, text) + 28, 30)
    area.moveCenter(rect.center())
    if shown.scene is not None:
        area.moveTop(12)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.line_strong), 1))
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(area, 15, 15)
    painter.setPen(QColor(theme.text))
    painter.setFont(faces.title)
    painter.drawText(area, _MIDDLE, text)
