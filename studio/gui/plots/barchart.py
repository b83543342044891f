"""Bars side by side: the original's behind, those of now in front, the chosen layers' in another colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor

from studio.gui.looks.theme import Theme
from studio.gui.plots.bars import Bar
from studio.gui.plots.canvas import Canvas
from studio.gui.plots.chart import two_lines

_WIDE, _THIN = 0.78, 0.5
_LETTER, _LEAST_LETTERS = 6.5, 8
_HEAD = 1.12  # room above the highest


class BarChart(Canvas):
    """`clicked` gets the name of a layer, `hovered` its bar, None for none."""

    below = 38

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.clicked: Callable[[str], None] = _ignore
        self.hovered: Callable[[Bar | None], None] = _ignore
        self.write: Callable[[float], str] = str
        self._bars: tuple[Bar, ...] = ()
        self._behind, self._front = pg.BarGraphItem(**_none()), pg.BarGraphItem(**_none())
        self._whiskers = pg.ErrorBarItem(beam=0.0)
        for item in (self._behind, self._front, self._whiskers):
            self.plot.addItem(item)
        self._moves = pg.SignalProxy(self.widget.scene().sigMouseMoved, rateLimit=30, slot=self._hover)
        self.widget.scene().sigMouseClicked.connect(self._click)
        self.dress(theme)

    def written(self, value: float) -> str:
        return self.write(value)

    def draw(self, bars: Sequence[Bar], chosen: frozenset[str], write: Callable[[float], str]) -> None:
        """Draw at least one bar; layers of `chosen` stand out."""
        self.write, self._bars = write, tuple(bars)
        x = np.arange(len(bars), dtype=float)
        before = np.array([bar.before or 0.0 for bar in bars])
        after = np.array([bar.after or 0.0 for bar in bars])
        theme = self.theme
        ink = [theme.warn if bar.layer in chosen else theme.series[0] for bar in bars]
        self._behind.setOpts(x=x, height=before, width=_WIDE, brush=theme.line_strong, pen=None)
        brushes = [pg.mkBrush(colour) for colour in ink]
        self._front.setOpts(x=x, height=after, width=_THIN, brushes=brushes, pen=None)
        self._draw_whiskers(x, after)
        self._range(before, after)
        self.axes[1].setTicks([self._ticks()])

    def _draw_whiskers(self, x: Any, after: Any) -> None:
        pairs = list(zip(self._bars, after, strict=True))
        low = np.array([value if bar.low is None else bar.low for bar, value in pairs])
        high = np.array([value if bar.high is None else bar.high for bar, value in pairs])
        colour = QColor(self.theme.text)
        colour.setAlpha(150)
        pen = pg.mkPen(colour, width=1)
        self._whiskers.setData(x=x, y=after, top=high - after, bottom=after - low, pen=pen)

    def _range(self, before: Any, after: Any) -> None:
        ends = [end for bar in self._bars for end in (bar.low, bar.high) if end is not None]
        high = max(0.0, float(before.max()), float(after.max()), *ends)
        low = min(0.0, float(after.min()), *ends)
        if high == low:
            high = low + 1.0
        self.limit((-0.7, len(self._bars) - 0.3), (low * _HEAD, high * _HEAD))

    def _ticks(self) -> list[tuple[float, str]]:
        """Names where there is room for them, else of every so many layers."""
        room = max(self.widget.width() - self.left - 30, 100) / _LETTER
        every = max(int(np.ceil(len(self._bars) * _LEAST_LETTERS / room)), 1)
        letters = int(room * every / len(self._bars)) - 1
        names, places = short([bar.layer for bar in self._bars]), range(0, len(self._bars), every)
        return [(float(at), two_lines(names[at], letters)) for at in places]

    def _near(self, at: QPointF) -> Bar | None:
        """The bar in the column under a point of the scene."""
        if not self._bars or not self.widget.sceneBoundingRect().contains(at):
            return None
        place = round(self.plot.getViewBox().mapSceneToView(at).x())
        return self._bars[place] if 0 <= place < len(self._bars) else None

    def _hover(self, event: Any) -> None:
        self.hovered(self._near(event[0]))

    def _click(self, event: Any) -> None:
        bar = self._near(event.scenePos())
        if bar is not None:
            self.clicked(bar.layer)


def short(layers: Sequence[str]) -> list[str]:
    """The last two parts of each path, without an end that all of them have (`…/conv`): `block1: expand`."""
    parts = [layer.strip("/").split("/") for layer in layers]
    while all(len(each) > 1 and each[-1] == parts[0][-1] for each in parts):
        parts = [each[:-1] for each in parts]
    return [": ".join(each[-2:]) for each in parts]


def _none() -> dict[str, Any]:
    return {"x": [0.0], "height": [0.0], "width": 0.0}


def _ignore(_: object) -> None:
    pass
