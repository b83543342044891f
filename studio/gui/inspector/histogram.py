"""The histogram of a layer's weights or activations, before and now, over the grid of its codes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from studio.gui.inspector.pictures import Picture, axis, write
from studio.gui.looks import numbers
from studio.gui.looks.theme import Theme
from studio.gui.texts.texts import T

_TICK, _CLOSEST = 7.0, 2.5  # pixels
_STANDS_OUT, _ABOVE = 6, 1.25  # a bar so many times as high as the others is cut off


class Binned(Protocol):
    """Counts on common edges, and the levels that codes can stand for."""

    @property
    def layer(self) -> str: ...
    @property
    def edges(self) -> tuple[float, ...]: ...
    @property
    def before(self) -> tuple[int, ...]: ...
    @property
    def after(self) -> tuple[int, ...]: ...
    @property
    def grid(self) -> tuple[float, ...]: ...


class Histogram(Picture):
    """Before as an outline, after as bars, heights by the root of counts; levels as ticks below.

    Where levels lie too close for ticks, a line from the first to the last one stands for them.
    """

    before = "text"
    view: Binned | None = None

    @property
    def known(self) -> bool:
        return self.view is not None

    def show_view(self, view: Binned | None, remark: str = "") -> None:
        """Draw `view`, or the words of `empty` for None."""
        self.view, self.remark = view, remark
        self.name_layer(view.layer if view is not None else "")

    def draw(self, painter: QPainter, box: QRectF, theme: Theme) -> None:
        assert self.view is not None
        view, most = self.view, _top(self.view)
        step = box.width() / len(view.after)
        for place, count in enumerate(view.after):
            height = _height(count, most) * box.height()
            bar = QRectF(box.left() + place * step, box.bottom() - height, max(step - 0.6, 0.8), height)
            painter.fillRect(bar, QColor(theme.accent_text))
        painter.setPen(QPen(QColor(theme.text), 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(_outline(box, view.before, most))
        self._cut(painter, box, view, most, theme)
        _levels(painter, box, view, theme)
        inside = (0.0,) if view.edges[0] < 0.0 < view.edges[-1] else ()
        axis(painter, box, (view.edges[0], *inside, view.edges[-1]), theme)
        width = painter.fontMetrics().horizontalAdvance(self.remark)
        write(painter, box.right() - width, box.top() + 9, self.remark, theme)

    def _cut(self, painter: QPainter, box: QRectF, view: Binned, most: float, theme: Theme) -> None:
        """A bar that goes beyond the room: a gap in it, and how much it holds."""
        place = max(range(len(view.after)), key=lambda each: view.after[each])
        if view.after[place] <= most:
            return
        step = box.width() / len(view.after)
        x, y = box.left() + place * step, box.top() + 9
        painter.setPen(QPen(QColor(theme.surface), 2))
        for shift in (0.0, 4.0):
            painter.drawLine(QPointF(x - 3, y + shift + 2), QPointF(x + step + 3, y + shift - 2))
        share = view.after[place] / max(sum(view.after), 1)
        text = T.weights_zero.format(share=numbers.percent(share))
        width = painter.fontMetrics().horizontalAdvance(text)
        right = x + step + 6
        write(painter, right if right + width < box.right() else x - 6 - width, box.top() + 9, text, theme)


def _top(view: Binned) -> float:
    """The count that fills the height: the largest, but for one that stands out."""
    counts = [max(pair) for pair in zip(view.before, view.after, strict=True)]
    *_, second, first = sorted((1, 1, *counts))
    return second * _ABOVE if first > second * _STANDS_OUT else first


def _height(count: int, most: float) -> float:
    return min(math.sqrt(count / most), 1.0)


def _outline(box: QRectF, counts: Sequence[int], most: float) -> QPainterPath:
    path, step = QPainterPath(QPointF(box.left(), box.bottom())), box.width() / len(counts)
    for place, count in enumerate(counts):
        y = box.bottom() - _height(count, most) * box.height()
        path.lineTo(box.left() + place * step, y)
        path.lineTo(box.left() + (place + 1) * step, y)
    path.lineTo(box.right(), box.bottom())
    return path


def _levels(painter: QPainter, box: QRectF, view: Binned, theme: Theme) -> None:
    if not view.grid:
        return
    low, high = view.edges[0], view.edges[-1]
    places = [box.left() + (level - low) / (high - low) * box.width() for level in view.grid]
    painter.setPen(QPen(QColor(theme.warn), 1))
    if len(places) > 1 and (places[-1] - places[0]) / (len(places) - 1) < _CLOSEST:
        painter.fillRect(QRectF(places[0], box.bottom() + 2, places[-1] - places[0], 3), QColor(theme.warn))
        places = [places[0], places[-1]]
    for x in places:
        painter.drawLine(QPointF(x, box.bottom() + 1), QPointF(x, box.bottom() + _TICK))
