"""A plot panel. pyqtgraph is loaded when there is something to draw, never before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QStackedWidget, QToolButton, QWidget

from studio.errors import ProjectError
from studio.gui import icons
from studio.gui.asking import ask_out
from studio.gui.drawn import save_view
from studio.gui.panel import Panel, label
from studio.gui.plots.series import Point, Series, csv
from studio.gui.texts import T
from studio.gui.theme import Look

if TYPE_CHECKING:
    from studio.gui.plots.chart import Chart

_EVERY_MS = 100


class PlotPanel(Panel):
    """Draws a Series at most ten times a second. `chosen` carries the step of a point that was clicked."""

    chosen = Signal(int)
    failed = Signal(object)

    def __init__(
        self, title: str, look: Look, colour: int, write: Callable[[float], str], floor: float | None = None
    ) -> None:
        self._stack = QStackedWidget()
        super().__init__(title, self._stack)
        self._look, self._colour, self._write, self._floor = look, colour, write, floor
        self._chart: Chart | None = None
        self._series = Series()
        self._empty = label(T.plot_empty, quiet=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack.addWidget(self._empty)
        self.tools.addWidget(self._menu_button())
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.draw)
        look.changed.connect(self._dress)

    @property
    def series(self) -> Series:
        return self._series

    def show_series(self, series: Series, empty: str) -> None:
        """Draw `series` soon; say `empty` where it has no points."""
        self._empty.setText(empty)
        if series != self._series:
            self._series = series
            self._timer.start()

    def draw(self) -> None:
        """Draw now what was shown last."""
        self._timer.stop()
        points = self._series.points
        here = next((point for point in points if point.step == self._series.at), None)
        self.say(self._remark(here) if here else "")
        if not points:
            self._stack.setCurrentWidget(self._empty)
            return
        chart = self._chart or self._make()
        chart.draw(self._series)
        self._stack.setCurrentWidget(chart.widget)

    def _menu_button(self) -> QToolButton:
        made, menu = QToolButton(), QMenu(self)
        menu.addAction(T.plot_copy, self.copy)
        menu.addAction(T.plot_picture, self._ask_picture)
        made.setMenu(menu)
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        made.setIcon(icons.icon("more", self._look.theme.muted))
        made.setAccessibleName(T.plot_tools.format(plot=self.accessibleName()))
        made.setToolTip(T.plot_tools.format(plot=self.accessibleName()))
        self._more = made
        return made

    def copy(self) -> None:
        """Put the points on the clipboard as CSV."""
        QGuiApplication.clipboard().setText(csv(self._series, self.accessibleName()))

    def save_picture(self, path: str) -> None:
        """Write the plot as SVG or PNG; where that cannot be, `failed` says why."""
        try:
            save_view((self._chart or self._make()).widget, path)
        except ProjectError as error:
            self.failed.emit(error)

    def _ask_picture(self) -> None:
        ask_out(self, T.plot_picture, T.plot_filter, Path(f"{self.accessibleName()}.png"), self.save_picture)

    def _hover(self, point: Point | None) -> None:
        here = next((each for each in self._series.points if each.step == self._series.at), None)
        shown = point or here
        self.say((f"{point.label}:  " if point else "") + self._remark(shown) if shown else "")

    def _remark(self, point: Point) -> str:
        text = self._write(point.value)
        if point.low is not None and point.high is not None:
            text = f"{text}  [{self._write(point.low)}, {self._write(point.high)}]"
        if point.n:
            return f"{text}  ·  {T.plot_under.format(source=point.source, n=point.n)}"
        return f"{text}  ·  {point.source}" if point.source else text

    def _make(self) -> Chart:
        from studio.gui.plots.chart import Chart

        self._chart = Chart(self._look.theme, self._colour, self._write, self._floor)
        self._chart.widget.setAccessibleName(self.accessibleName())
        self._chart.clicked, self._chart.hovered = self.chosen.emit, self._hover
        self._stack.addWidget(self._chart.widget)
        return self._chart

    def _dress(self) -> None:
        self._more.setIcon(icons.icon("more", self._look.theme.muted))
        if self._chart is not None:
            self._chart.dress(self._look.theme)
            self._chart.draw(self._series)

    def body(self) -> QWidget | None:
        """What is shown now: the chart, or the words instead of it."""
        return self._stack.currentWidget()
