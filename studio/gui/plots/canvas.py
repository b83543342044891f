"""What all plots share: a still pyqtgraph canvas in the theme's colours, with axes written our way."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg

from studio.gui.looks import fonts
from studio.gui.looks.theme import Theme


class Canvas:
    """One pyqtgraph plot that neither moves under the mouse nor has a menu.

    `left` and `below` are the room of the axes in pixels; `grid` says which lines are drawn.
    """

    left, below = 66, 24
    grid = (False, True)

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.widget = pg.PlotWidget()
        self.widget.setAntialiasing(True)
        self.plot: Any = self.widget.getPlotItem()
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.layout.setContentsMargins(8, 0, 14, 2)
        left, bottom = self.axes
        left.tickStrings = lambda values, *_: [self.written(value) for value in values]
        left.setWidth(self.left)
        bottom.setHeight(self.below)
        for axis in self.axes:
            axis.setStyle(tickFont=fonts.font(11), tickLength=0, tickTextOffset=6)
        self.plot.getViewBox().setDefaultPadding(0.0)

    @property
    def axes(self) -> tuple[Any, Any]:
        """That at the left and that at the bottom."""
        return self.plot.getAxis("left"), self.plot.getAxis("bottom")

    def written(self, value: float) -> str:
        """A value of the left axis in words."""
        return f"{value:g}"

    def dress(self, theme: Theme) -> None:
        """Take the colours of `theme`."""
        self.theme = theme
        self.widget.setBackground(theme.surface)
        for axis in self.axes:
            axis.setPen(pg.mkPen(theme.line))
            axis.setTextPen(pg.mkPen(theme.muted))
            axis.setTickPen(pg.mkPen(theme.line_strong))
        x, y = self.grid
        self.plot.showGrid(x=x, y=y, alpha=0.32 if theme.dark else 0.22)

    def limit(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Show these ranges."""
        self.plot.setXRange(*x, padding=0)
        self.plot.setYRange(*y, padding=0)
