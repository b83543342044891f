"""The chart itself: points joined along the edits, interval bars, the original as a dashed line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from studio.gui.looks import fonts
from studio.gui.looks.theme import Theme
from studio.gui.plots.canvas import Canvas
from studio.gui.plots.series import Point, Series
from studio.gui.texts.texts import T

_LEAST_SPAN = 2.0
_SYMBOLS = ("o", "s", "t", "d")
_NAMED, _LETTERS = 7, 72  # letters that one axis has room for
_MARGINS, _LETTER = 110, 7  # pixels


class Chart(Canvas):
    """Points of a Series. `floor` is the lowest value of its axis (None: as the points need)."""

    below = 38  # two lines

    def __init__(self, theme: Theme, colour: int, write: Callable[[float], str], floor: float | None) -> None:
        super().__init__(theme)
        self._write, self._floor, self._colour = write, floor, colour
        self.clicked: Callable[[int], None] = _ignore
        self.hovered: Callable[[Point | None], None] = _ignore
        self._lines: list[Any] = []
        self._cross = pg.InfiniteLine(angle=90)
        self._cross.hide()
        self._points: tuple[Point, ...] = ()
        self._bars = pg.ErrorBarItem(beam=0.08)
        self._dots = pg.ScatterPlotItem(hoverable=True, tip=None)
        self._base = pg.InfiniteLine(angle=0)
        self._name = pg.InfLineLabel(
            self._base, text=T.plot_original, position=0.99, anchors=[(1, 1), (1, 0)]
        )
        for item in (self._cross, self._bars, self._dots, self._base):
            self.plot.addItem(item)
        self._dots.sigClicked.connect(self._click)
        self._moves = pg.SignalProxy(self.widget.scene().sigMouseMoved, rateLimit=30, slot=self._hover)
        self.dress(theme)

    def written(self, value: float) -> str:
        return self._write(value)

    def dress(self, theme: Theme) -> None:
        super().dress(theme)
        self.plot.getViewBox().setBackgroundColor(None)
        self._cross.setPen(pg.mkPen(theme.ghost, width=1))
        self._base.setPen(pg.mkPen(theme.muted, width=1, style=Qt.PenStyle.DashLine))
        self._name.setColor(QColor(theme.muted))
        self._name.setFont(fonts.font(11))

    def draw(self, series: Series) -> None:
        """Draw the points of `series`, which has at least one."""
        points = series.points
        x = np.array([point.step for point in points], dtype=float)
        y = np.array([point.value for point in points])
        self._points = points
        self._draw_lines(points)
        self._draw_bars(x, y, points)
        self._dots.setData([self._dot(point, series) for point in points])
        self._base.setVisible(series.original is not None)
        if series.original is not None:
            self._base.setValue(series.original)
        self._range(series)

    def _draw_lines(self, points: tuple[Point, ...]) -> None:
        """One line per lane, in the order in which lanes come up."""
        lanes = _lanes(points)
        while len(self._lines) < len(lanes):
            self._lines.append(self.plot.plot([], [], antialias=True))
        for line in self._lines[len(lanes) :]:
            line.setData([], [])
        for place, (lane, line) in enumerate(zip(lanes, self._lines, strict=False)):
            mine = [point for point in points if point.lane == lane]
            line.setPen(pg.mkPen(self._ink(place), width=1.5))
            line.setData([float(point.step) for point in mine], [point.value for point in mine])

    def _ink(self, place: int) -> str:
        colours = self.theme.series
        return colours[(self._colour + place) % len(colours)]

    def _draw_bars(self, x: Any, y: Any, points: tuple[Point, ...]) -> None:
        low = np.array([point.value if point.low is None else point.low for point in points])
        high = np.array([point.value if point.high is None else point.high for point in points])
        colour = QColor(self.theme.series[self._colour])
        colour.setAlpha(150)
        self._bars.setData(x=x, y=y, top=high - y, bottom=y - low, pen=pg.mkPen(colour, width=1.5))

    def _dot(self, point: Point, series: Series) -> dict[str, Any]:
        lane = _lanes(series.points).index(point.lane)
        colour, here = self._ink(lane), point.step == series.at
        hollow = point.ghost or not here
        pen = pg.mkPen(
            self.theme.ghost if point.ghost else colour,
            width=1.5,
            style=Qt.PenStyle.DotLine if point.ghost else Qt.PenStyle.SolidLine,
        )
        brush = pg.mkBrush(self.theme.surface if hollow else colour)
        return {
            "pos": (point.step, point.value),
            "size": 11 if here else 7,
            "symbol": _SYMBOLS[lane % len(_SYMBOLS)],
            "pen": pen,
            "brush": brush,
            "data": point.step,
        }

    def _range(self, series: Series) -> None:
        values = [series.original] if series.original is not None else []
        for point in series.points:
            values += [v for v in (point.value, point.low, point.high) if v is not None]
        low, high = min(values), max(values)
        if self._floor is None:
            gap = max(_LEAST_SPAN - (high - low), (high - low) * 0.24) / 2
            low, high = low - gap, high + gap
        else:
            low, high = self._floor, high * 1.22
        last = max(point.step for point in series.points)
        wide = max(last, 4)
        self.limit((-0.4 * wide / 4, wide + 0.75 * wide / 4), (low, high))
        self.plot.getAxis("bottom").setTicks([_ticks(series.points, self._letters())])

    def _letters(self) -> int:
        """How many letters the axis has room for."""
        return max(int(self.widget.width() - _MARGINS) // _LETTER, _NAMED * 6)

    def _hover(self, event: Any) -> None:
        """A line through the point under the mouse; `hovered` is told which it is, None for none."""
        box = self.plot.getViewBox()
        inside = self.widget.sceneBoundingRect().contains(event[0]) and bool(self._points)
        found = self._near(box.mapSceneToView(event[0])) if inside else None
        self._cross.setVisible(found is not None)
        if found is not None:
            self._cross.setValue(found.step)
        self.hovered(found)

    def _near(self, at: Any) -> Point:
        (_, _), (low, high) = self.plot.getViewBox().viewRange()
        tall = (high - low) or 1.0
        return min(self._points, key=lambda p: (abs(p.step - at.x()), abs(p.value - at.y()) / tall))

    def _click(self, _: object, spots: Any) -> None:
        if len(spots):
            self.clicked(int(spots[0].data()))


def _ticks(points: tuple[Point, ...], letters: int = _LETTERS) -> list[tuple[float, str]]:
    """The edits by name while there is room, else every so many by number."""
    if len(points) <= _NAMED:
        room = max(letters // max(points[-1].step + 1, 5), 6)
        return [(float(point.step), two_lines(point.label, room)) for point in points]
    every = max(1, round(len(points) / 8))
    return [(float(point.step), str(point.step)) for point in points[::every]]


def two_lines(text: str, room: int) -> str:
    """A label as what was edited over what was set, each at most `room` letters.

    Of a path its end stays, for that tells layers apart.
    """
    return "\n".join(_tail(part, room) for part in text.split(": ", 1))


def _tail(text: str, room: int) -> str:
    while len(text) > room and "/" in text:
        text = text.partition("/")[2]
    return text if len(text) <= room else f"{text[: room // 2]}…{text[len(text) - (room - 1) // 2 :]}"


def _lanes(points: tuple[Point, ...]) -> list[str]:
    return list(dict.fromkeys(point.lane for point in points))


def _ignore(_: object) -> None:
    pass
