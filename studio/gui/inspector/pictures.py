"""What the small pictures of a layer share: title, legend, room to draw in, words where nothing is known."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from studio.gui.looks import fonts
from studio.gui.looks.theme import Look, Theme
from studio.gui.texts.texts import T

_LEFT, _RIGHT, _TOP, _BOTTOM = 14.0, 14.0, 26.0, 24.0
_SMALL = 11


class Picture(QWidget):
    """Draws a thing of a layer into a titled room; tells assistive technology what it shows."""

    before = "ghost"  # colour of what was
    legend = True

    def __init__(self, title: str, look: Look) -> None:
        super().__init__()
        self.title, self._look = title, look
        self.empty = self.remark = ""
        self.setMinimumSize(150, 110)
        self.setAccessibleName(title)
        look.changed.connect(self.update)

    @property
    def known(self) -> bool:
        """Whether there is something to draw."""
        return False

    def name_layer(self, layer: str) -> None:
        """Which layer it is about, "" for none; drawn anew."""
        self.setAccessibleName(f"{self.title}: {layer}" if layer else self.title)
        self.setAccessibleDescription(self.remark if self.known else self.empty)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self._look.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        room = QRectF(self.rect())
        painter.setFont(fonts.font(_SMALL))
        used = self._legend(painter, room, theme) if self.legend and self.known else 0.0
        self._head(painter, room.width() - used - _LEFT, theme)
        box = room.adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)
        if self.known:
            self.draw(painter, box, theme)
        elif self.empty:
            painter.setPen(QColor(theme.muted))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.empty)
        painter.end()

    def draw(self, painter: QPainter, box: QRectF, theme: Theme) -> None:
        """Draw what is known into `box`."""

    def _head(self, painter: QPainter, wide: float, theme: Theme) -> None:
        painter.setPen(QColor(theme.muted))
        text = (
            f"{self.title}  ·  {self.remark}"
            if self.known and self.remark and not self.legend
            else self.title
        )
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(max(wide - _LEFT, 0)))
        painter.drawText(QPointF(_LEFT, 15), shown)

    def _legend(self, painter: QPainter, room: QRectF, theme: Theme) -> float:
        """What the two colours mean; returns the width that it took."""
        x = room.right() - _RIGHT
        before = getattr(theme, self.before)
        for text, colour in ((T.weights_after, theme.accent_text), (T.weights_before, before)):
            width = painter.fontMetrics().horizontalAdvance(text)
            painter.setPen(QColor(theme.muted))
            painter.drawText(QPointF(x - width, 15), text)
            painter.fillRect(QRectF(x - width - 14, 7, 9, 9), QColor(colour))
            x -= width + 26
        return room.right() - x


def axis(painter: QPainter, box: QRectF, marks: Sequence[float], theme: Theme) -> None:
    """A line below `box` with these values written under it, the first and the last at its ends."""
    painter.setPen(QPen(QColor(theme.line_strong), 1))
    painter.drawLine(box.bottomLeft(), box.bottomRight())
    low, high = marks[0], marks[-1]
    free = box.left()
    for mark in sorted(set(marks), key=lambda each: (each not in (low, high), each)):
        text = f"{mark:.2g}".replace("-", "−")
        width = painter.fontMetrics().horizontalAdvance(text)
        x = box.left() + (mark - low) / (high - low or 1.0) * box.width() - width / 2
        x = min(max(x, box.left()), box.right() - width)
        if mark in (low, high) or free + 6 < x < box.right() - width - 40:
            write(painter, x, box.bottom() + 20, text, theme)
        free = max(free, x + width) if mark == low else free


def write(painter: QPainter, x: float, y: float, text: str, theme: Theme) -> None:
    """A small quiet text; `y` is its base line."""
    painter.setFont(fonts.font(_SMALL))
    painter.setPen(QColor(theme.muted))
    painter.drawText(QPointF(x, y), text)
