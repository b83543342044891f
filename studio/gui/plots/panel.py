"""The plot of one figure along the history of edits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from studio.gui.looks.theme import Look
from studio.gui.plots.base import PlotBase
from studio.gui.plots.series import Point, Series, csv
from studio.gui.texts.texts import T

if TYPE_CHECKING:
    from studio.gui.plots.chart import Chart


class PlotPanel(PlotBase):
    """Draws a Series. `chosen` carries the step of a point that was clicked."""

    chosen = Signal(int)

    def __init__(
        self, title: str, look: Look, colour: int, write: Callable[[float], str], floor: float | None = None
    ) -> None:
        super().__init__(title, look, colour)
        self._colour, self._write, self._floor = colour, write, floor
        self.series = Series()
        self.chart: Chart | None = None

    def show_series(self, series: Series, empty: str) -> None:
        """Draw `series` soon; say `empty` where it has no points."""
        self.empty.setText(empty)
        if series != self.series:
            self.series = series
            self.soon()

    def paint_canvas(self) -> bool:
        here = self._here()
        self.say(self._remark(here) if here else "")
        if not self.series.points:
            return False
        self.drawn_on()
        assert self.chart is not None
        self.chart.draw(self.series)
        return True

    def csv(self) -> str:
        return csv(self.series, self.accessibleName())

    def make(self) -> Chart:
        from studio.gui.plots.chart import Chart

        made = self.chart = Chart(self.look.theme, self._colour, self._write, self._floor)
        made.clicked, made.hovered = self.chosen.emit, self._hover
        return made

    def _here(self) -> Point | None:
        return next((point for point in self.series.points if point.step == self.series.at), None)

    def _hover(self, point: Point | None) -> None:
        shown = point or self._here()
        self.say((f"{point.label}:  " if point else "") + self._remark(shown) if shown else "")

    def _remark(self, point: Point) -> str:
        text = self._write(point.value)
        if point.low is not None and point.high is not None:
            text = f"{text}  [{self._write(point.low)}, {self._write(point.high)}]"
        if point.n:
            return f"{text}  ·  {T.plot_under.format(source=point.source, n=point.n)}"
        return f"{text}  ·  {point.source}" if point.source else text
