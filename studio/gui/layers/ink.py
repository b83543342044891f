"""Texts and signs in the cells of the layer table."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from studio.gui.looks import fonts, icons
from studio.gui.looks.theme import Theme

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignCenter


def text(
    painter: QPainter,
    box: QRectF,
    said: str,
    colour: str,
    how: Qt.AlignmentFlag,
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> None:
    """Write into `box`, cut where it does not fit."""
    painter.setPen(QColor(colour))
    painter.drawText(box, how, painter.fontMetrics().elidedText(said, elide, int(box.width())))


def warning(painter: QPainter, cell: QRectF, theme: Theme, ink: str = "") -> None:
    """A sign at the right end of a cell."""
    icons.paint(painter, "warn", ink or theme.warn, QRectF(cell.right() - 15, cell.center().y() - 7, 14, 14))


def before_after(
    painter: QPainter, cell: QRectF, texts: tuple[str, str], colour: str, strong: bool, theme: Theme
) -> None:
    """`before → after` about the middle of the cell; `after` is "" where nothing has changed."""
    before, after = texts
    box, half = cell.adjusted(8, 0, -8, 0), cell.width() / 2
    painter.setFont(fonts.font())
    text(painter, box.adjusted(0, 0, -half - 4, 0), before, theme.muted, RIGHT)
    if not after:
        return
    arrow = QRectF(cell.center().x() - 8, cell.top(), 16, cell.height())
    text(painter, arrow, "→", theme.ghost, CENTRE)
    painter.setFont(fonts.medium() if strong else fonts.font())
    text(painter, box.adjusted(half + 4, 0, 0, 0), after, colour, LEFT)
