"""The sensitivity of a group as a small line: points lost from wide to narrow, and where it is now."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from studio.gui.layers.rows import Row
from studio.gui.looks.theme import Theme


def paint(painter: QPainter, box: QRectF, row: Row, worst: float, ink: QColor, theme: Theme) -> None:
    """Draw the curve of `row` into `box`, `worst` points filling its height; a bar of one known point."""
    painter.setPen(QPen(QColor(theme.line), 1))
    painter.drawLine(box.bottomLeft(), box.bottomRight())
    if len(row.curve) < 3:
        loss = max(-row.effect.difference.value, 0.0) if row.effect else 0.0
        bar = QRectF(box.left(), box.center().y() - 2.5, box.width() * min(loss / worst, 1.0), 5)
        painter.fillRect(bar, ink)
        return
    points = [_at(box, place, len(row.curve), loss / worst) for place, (_, loss) in enumerate(row.curve)]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(ink, 1.6))
    painter.drawPolyline(QPolygonF(points))
    here = min(range(len(row.curve)), key=lambda place: abs(row.curve[place][0] - row.bits))
    painter.setBrush(QColor(theme.text))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(points[here], 2.4, 2.4)


def _at(box: QRectF, place: int, count: int, share: float) -> QPointF:
    x = box.left() + place / (count - 1) * box.width()
    return QPointF(x, box.bottom() - min(share, 1.0) * box.height())
