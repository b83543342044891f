"""Two small pictures of a layer's weights: the histogram on its grid, and the range of every channel."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from studio.gui import fonts
from studio.gui.texts import T
from studio.gui.theme import Look, Theme
from studio.metrics import WeightView

_LEFT, _RIGHT, _TOP, _BOTTOM = 14.0, 14.0, 26.0, 24.0
_GRID = 7.0


class Picture(QWidget):
    """Draws a `WeightView`; says what it shows to assistive technology too."""

    before = "ghost"  # colour of what was

    def __init__(self, title: str, look: Look) -> None:
        super().__init__()
        self._title, self._look = title, look
        self._view: WeightView | None = None
        self.setMinimumSize(220, 110)
        look.changed.connect(self.update)

    def show_view(self, view: WeightView | None) -> None:
        self._view = view
        self.setAccessibleName(f"{self._title}: {view.layer}" if view else self._title)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self._look.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        room = QRectF(self.rect())
        painter.setFont(fonts.font(11))
        painter.setPen(QColor(theme.muted))
        painter.drawText(QRectF(_LEFT, 4, room.width(), 18), Qt.AlignmentFlag.AlignLeft, self._title)
        self._legend(painter, room, theme)
        if self._view is not None:
            box = room.adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)
            self.draw(painter, box, self._view, theme)
        painter.end()

    def draw(self, painter: QPainter, box: QRectF, view: WeightView, theme: Theme) -> None:
        """Draw into `box`."""

    def _legend(self, painter: QPainter, room: QRectF, theme: Theme) -> None:
        x = room.right() - _RIGHT
        before = getattr(theme, self.before)
        for text, colour in ((T.weights_after, theme.accent_text), (T.weights_before, before)):
            width = painter.fontMetrics().horizontalAdvance(text)
            painter.setPen(QColor(theme.muted))
            painter.drawText(QPointF(x - width, 15), text)
            painter.fillRect(QRectF(x - width - 14, 8, 9, 9), QColor(colour))
            x -= width + 30


class Histogram(Picture):
    """Before as an outline, after as bars, and the levels that the widest channel may take as ticks."""

    before = "text"

    def draw(self, painter: QPainter, box: QRectF, view: WeightView, theme: Theme) -> None:
        most = math.sqrt(max(*view.before, *view.after, 1))
        step = box.width() / len(view.after)
        after = QColor(theme.accent_text)
        for place, count in enumerate(view.after):
            height = math.sqrt(count) / most * box.height()
            bar = QRectF(box.left() + place * step, box.bottom() - height, max(step - 0.6, 0.8), height)
            painter.fillRect(bar, after)
        painter.setPen(QPen(QColor(theme.text), 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(_outline(box, view.before, most))
        self._grid(painter, box, view, theme)
        _axis(painter, box, (view.edges[0], 0.0, view.edges[-1]), theme)

    def _grid(self, painter: QPainter, box: QRectF, view: WeightView, theme: Theme) -> None:
        low, high = view.edges[0], view.edges[-1]
        painter.setPen(QPen(QColor(theme.warn), 1))
        for level in view.grid:
            x = box.left() + (level - low) / (high - low) * box.width()
            painter.drawLine(QPointF(x, box.bottom() + 1), QPointF(x, box.bottom() + _GRID))


class Ranges(Picture):
    """One bar from least to greatest weight for each output channel."""

    def draw(self, painter: QPainter, box: QRectF, view: WeightView, theme: Theme) -> None:
        ends = [abs(end) for pair in (*view.ranges_before, *view.ranges_after) for end in pair]
        most = max(ends, default=1.0) or 1.0
        for ranges, colour, share in (
            (view.ranges_before, theme.ghost, 1.0),
            (view.ranges_after, theme.accent_text, 0.55),
        ):
            _bars(painter, box, ranges, most, QColor(colour), share)
        painter.setPen(QPen(QColor(theme.line_strong), 1))
        painter.drawLine(QPointF(box.left(), box.center().y()), QPointF(box.right(), box.center().y()))
        painter.setFont(fonts.font(11))
        painter.setPen(QColor(theme.muted))
        text = T.weights_channels.format(
            n=len(view.ranges_after), was=len(view.ranges_before), most=f"{most:.3g}"
        )
        painter.drawText(box.adjusted(0, 0, 0, 20), Qt.AlignmentFlag.AlignBottom, text)


def _bars(
    painter: QPainter,
    box: QRectF,
    ranges: Sequence[tuple[float, float]],
    most: float,
    colour: QColor,
    share: float,
) -> None:
    step = box.width() / max(len(ranges), 1)
    middle, half = box.center().y(), box.height() / 2
    for place, (low, high) in enumerate(ranges):
        top, bottom = middle - high / most * half, middle - low / most * half
        width = max(step * share * 0.86, 0.7)
        x = box.left() + place * step + (step - width) / 2
        painter.fillRect(QRectF(x, top, width, max(bottom - top, 0.8)), colour)


def _outline(box: QRectF, counts: Sequence[int], most: float) -> QPainterPath:
    path, step = QPainterPath(QPointF(box.left(), box.bottom())), box.width() / len(counts)
    for place, count in enumerate(counts):
        y = box.bottom() - math.sqrt(count) / most * box.height()
        path.lineTo(box.left() + place * step, y)
        path.lineTo(box.left() + (place + 1) * step, y)
    path.lineTo(box.right(), box.bottom())
    return path


def _axis(painter: QPainter, box: QRectF, marks: Sequence[float], theme: Theme) -> None:
    painter.setPen(QPen(QColor(theme.line_strong), 1))
    painter.drawLine(box.bottomLeft(), box.bottomRight())
    painter.setPen(QColor(theme.muted))
    painter.setFont(fonts.font(11))
    low, high = marks[0], marks[-1]
    for mark in marks:
        x = box.left() + (mark - low) / (high - low) * box.width()
        text = f"{mark:.2g}".replace("-", "−")
        width = painter.fontMetrics().horizontalAdvance(text)
        x = min(max(x - width / 2, box.left()), box.right() - width)
        painter.drawText(QPointF(x, box.bottom() + 20), text)
