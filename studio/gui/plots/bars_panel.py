"""The panel of bars per layer: which figure is shown, and the layer under the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox

from studio.estimate import widths
from studio.graph.model import Facts
from studio.gui.desk import Desk
from studio.gui.layers.rows import Row
from studio.gui.plots.bars import KINDS, Bar, bars, csv, known, remark
from studio.gui.plots.base import PlotBase
from studio.gui.texts.texts import T
from studio.recipe.resolve import Plan

if TYPE_CHECKING:
    from studio.gui.plots.barchart import BarChart


class BarsPanel(PlotBase):
    """A click on a bar chooses its layer; chosen layers stand out. Draws only while it is seen."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(T.bars, desk.look)
        self._desk = desk
        self.chart: BarChart | None = None
        self._rows: tuple[Row, ...] = ()
        self._of: tuple[Facts, Plan] | None = None
        self.combo = QComboBox()
        for key, kind in KINDS.items():
            self.combo.addItem(kind.title, key)
        self.combo.setAccessibleName(T.bars_of)
        self.combo.setToolTip(T.bars_of)
        self.combo.currentIndexChanged.connect(self.soon)
        self.tools.insertWidget(0, self.combo)
        desk.selection.changed.connect(self._again)
        self.failed.connect(desk.bridge.failed)

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return str(self.combo.currentData())

    @property
    def bars(self) -> tuple[Bar, ...]:
        """What is shown."""
        counted = macs(*self._of) if self._of is not None and self.kind == "macs" else {}
        return bars(self.kind, self._rows, counted)

    def show_rows(self, rows: tuple[Row, ...], facts: Facts, plan: Plan) -> None:
        """Take the layers as they are now."""
        self._rows, self._of = rows, (facts, plan)
        self._again()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._again()

    def _again(self) -> None:
        if self.isVisible():
            self.soon()

    def paint_canvas(self) -> bool:
        found, kind = self.bars, KINDS[self.kind]
        self.empty.setText(kind.missing)
        self._hover(None)
        if not known(found):
            return False
        self.drawn_on()
        assert self.chart is not None
        self.chart.draw(found, frozenset(self._desk.selection.names), kind.write)
        return True

    def csv(self) -> str:
        return csv(self.bars, KINDS[self.kind].title)

    def make(self) -> BarChart:
        from studio.gui.plots.barchart import BarChart

        made = self.chart = BarChart(self.look.theme)
        made.hovered = self._hover
        made.clicked = lambda name: self._desk.selection.choose((name,))
        return made

    def _hover(self, bar: Bar | None) -> None:
        """What is said of the bar under the mouse, else of the layer that is chosen."""
        names = self._desk.selection.names[:1]
        shown = bar or next((each for each in self.bars if each.layer in names), None)
        self.say(remark(shown, KINDS[self.kind].write) if shown else "")


def macs(facts: Facts, plan: Plan) -> dict[str, tuple[float, float]]:
    """MACs of each layer as in the original and with the channels that stay."""
    left = widths(facts, {row.layer: row for row in plan.layers})
    return {
        layer.name: (float(layer.macs), float(layer.macs) * left[layer.name].share)
        for layer in facts.layers
        if layer.macs is not None
    }
