"""The range of every output channel's weights, before and now."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from studio.gui.inspector.pictures import Picture, write
from studio.gui.looks.theme import Theme
from studio.gui.texts.texts import T
from studio.metrics import WeightView


class Ranges(Picture):
    """One bar from least to greatest weight for each output channel."""

    view: WeightView | None = None

    @property
    def known(self) -> bool:
        return self.view is not None

    def show_view(self, view: WeightView | None) -> None:
        """Draw the channels of `view`."""
        self.view = view
        self.name_layer(view.layer if view is not None else "")

    def draw(self, painter: QPainter, box: QRectF, theme: Theme) -> None:
        assert self.view is not None
        view = self.view
        ends = [abs(end) for pair in (*view.ranges_before, *view.ranges_after) for end in pair]
        most = max(ends, default=1.0) or 1.0
        for ranges, colour, share in (
            (view.ranges_before, theme.ghost, 1.0),
            (view.ranges_after, theme.accent_text, 0.55),
        ):
            _bars(painter, box, ranges, most, QColor(colour), share)
        painter.setPen(QPen(QColor(theme.line_strong), 1))
        painter.drawLine(QPointF(box.left(), box.center().y()), QPointF(box.right(), box.center().y()))
        said = T.weights_channels.format(
            n=len(view.ranges_after), was=len(view.ranges_before), most=f"{most:.3g}"
        )
        write(painter, box.left(), box.bottom() + 20, said, theme)


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
