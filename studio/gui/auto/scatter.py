"""The Pareto plot: size to the right, difference upward; shape and colour tell the latency."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from studio.gui.auto.dots import Dot, speed_class
from studio.gui.auto.form import line_text
from studio.gui.auto.model import tip
from studio.gui.looks import fonts, numbers
from studio.gui.looks.theme import Theme
from studio.gui.plots.canvas import Canvas
from studio.gui.texts.texts import T
from studio.recipe.settings import Recipe
from studio.search.budgets import Budgets

SHAPES = ("o", "s", "t")  # fast, middling, slow
_NOT_TIMED = "d"
_ROOM, _LEAST_SPAN, _SIDE = 0.12, 1.0, 0.12
_FEW = 2.5  # decades


class Scatter(Canvas):
    """Dots of recipes. `clicked` gets the dot, `dragged` a budget's name and its new value."""

    left, grid = 46, (True, True)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.clicked: Callable[[Dot], None] = _ignore
        self.dragged: Callable[[str, float], None] = _ignore
        self._front = self.plot.plot([], [], stepMode=None)
        self._bars = pg.ErrorBarItem(beam=0.0)
        self._spots = pg.ScatterPlotItem(hoverable=True, tip=_tip)
        self._lines = {
            "max_bytes": pg.InfiniteLine(angle=90, movable=True),
            "max_drop": pg.InfiniteLine(angle=0, movable=True),
        }
        for item in (self._bars, self._spots, *self._lines.values()):
            self.plot.addItem(item)
        self._labels = {name: pg.InfLineLabel(line, position=0.94) for name, line in self._lines.items()}
        self._spots.sigClicked.connect(self._click)
        for name, line in self._lines.items():
            line.sigPositionChangeFinished.connect(lambda _, name=name: self._drag(name))
            line.sigPositionChanged.connect(lambda _, name=name: self._name(name))
        self.dress(theme)

    def written(self, value: float) -> str:
        return numbers.signed(value, 1)

    def dress(self, theme: Theme) -> None:
        super().dress(theme)
        self._front.setPen(pg.mkPen(theme.muted, width=1, style=Qt.PenStyle.DotLine))
        for name, line in self._lines.items():
            line.setPen(pg.mkPen(theme.warn, width=1.5, style=Qt.PenStyle.DashLine))
            line.setHoverPen(pg.mkPen(theme.warn, width=2.5))
            self._labels[name].setColor(QColor(theme.warn))
            self._labels[name].setFont(fonts.font(11))

    def draw(self, dots: Sequence[Dot], here: Recipe | None, budgets: Budgets) -> None:
        """Draw at least one dot, and the budgets that are set."""
        x = np.log10([dot.bytes for dot in dots])
        y = np.array([dot.difference.value for dot in dots])
        low = np.array([_or(dot.difference.low, dot.difference.value) for dot in dots])
        high = np.array([_or(dot.difference.high, dot.difference.value) for dot in dots])
        colour = QColor(self.theme.muted)
        colour.setAlpha(70)
        self._bars.setData(x=x, y=y, top=high - y, bottom=y - low, pen=pg.mkPen(colour, width=1))
        self._spots.setData([self._spot(dot, here, dots) for dot in dots])
        front = sorted((dot for dot in dots if dot.front), key=lambda dot: dot.bytes)
        self._front.setData([math.log10(dot.bytes) for dot in front], [dot.difference.value for dot in front])
        self._draw_budgets(budgets)
        self._range(x, low, high, budgets)

    def _spot(self, dot: Dot, here: Recipe | None, dots: Sequence[Dot]) -> dict[str, Any]:
        speed, theme = speed_class(dot.latency, dots), self.theme
        colours = (theme.good, theme.series[0], theme.warn)
        colour = theme.muted if speed is None else colours[speed]
        return {
            "pos": (math.log10(dot.bytes), dot.difference.value),
            "size": 15 if dot.recipe == here else 10 if dot.front else 8,
            "symbol": _NOT_TIMED if speed is None else SHAPES[speed],
            "pen": pg.mkPen(theme.text if dot.recipe == here else colour, width=1.5),
            "brush": pg.mkBrush(colour if dot.front or dot.recipe == here else theme.surface),
            "data": dot,
        }

    def _draw_budgets(self, budgets: Budgets) -> None:
        values = {
            "max_bytes": math.log10(budgets.max_bytes) if budgets.max_bytes else None,
            "max_drop": None if budgets.max_drop is None else -budgets.max_drop,
        }
        for name, value in values.items():
            line = self._lines[name]
            line.setVisible(value is not None)
            if value is not None:
                blocked = line.blockSignals(True)
                line.setValue(value)
                line.blockSignals(blocked)
                self._name(name)

    def _range(self, x: Any, low: Any, high: Any, budgets: Budgets) -> None:
        ends = [
            float(x.min()),
            float(x.max()),
            *([math.log10(budgets.max_bytes)] if budgets.max_bytes else []),
        ]
        left, right = min(ends) - _SIDE, max(ends) + _SIDE
        self.plot.getAxis("bottom").setTicks([decades(left, right)])
        bottom = min(float(low.min()), -(budgets.max_drop or 0.0))
        top = max(float(high.max()), 0.0)
        gap = max((top - bottom) * _ROOM, (_LEAST_SPAN - (top - bottom)) / 2)
        self.limit((left, right), (bottom - gap, top + gap))

    def _name(self, name: str) -> None:
        self._labels[name].setFormat(line_text(name, self._value(name)))

    def _drag(self, name: str) -> None:
        value = self._value(name)
        self.dragged(name, -value if name == "max_drop" else value)

    def _value(self, name: str) -> float:
        """Bytes, or points of difference, where the line stands."""
        value = float(self._lines[name].value())
        return 10**value if name == "max_bytes" else value

    def _click(self, _: object, spots: Any) -> None:
        if len(spots):
            self.clicked(spots[0].data())


def decades(left: float, right: float) -> list[tuple[float, str]]:
    """Ticks at 1, 2 and 5 of each power of ten between two logarithms; at 1 alone where that is enough."""
    powers = range(math.floor(left), math.ceil(right) + 1)
    steps = (1, 2, 5) if right - left < _FEW else (1,)
    values = [step * 10.0**power for power in powers for step in steps]
    return [(at, numbers.size(value)) for value in values if left < (at := math.log10(value)) < right]


def _tip(x: float, y: float, data: Dot) -> str:
    return tip(data)


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _ignore(*_: object) -> None:
    pass


def legend(limits: Sequence[tuple[float, float]]) -> str:
    """What the shapes mean: "● to 0.30 ms   ■ to 0.41 ms   ▲ to 0.9 ms"."""
    signs = ("●", "■", "▲")
    return "   ".join(
        T.auto_to.format(sign=sign, ms=f"{high:.3g}") for sign, (_, high) in zip(signs, limits, strict=False)
    )
