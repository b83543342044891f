"""The plots along the history of edits, side by side."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QWidget

from studio.gui.looks import numbers
from studio.gui.looks.theme import Look
from studio.gui.plots.panel import PlotPanel
from studio.gui.texts.texts import T

_GAP = 12


class PlotsPage(QWidget):
    """Accuracy, size and latency; the presenter fills them."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.accuracies = PlotPanel(T.plot_accuracy, look, 0, _percent)
        self.sizes = PlotPanel(T.plot_size, look, 1, numbers.size, floor=0.0)
        self.latencies = PlotPanel(T.plot_latency, look, 2, _milliseconds, floor=0.0)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(_GAP)
        split.setChildrenCollapsible(False)
        for panel in self.all():
            split.addWidget(panel)
        split.setSizes([500] * split.count())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(split)

    def all(self) -> tuple[PlotPanel, ...]:
        """Every plot, from left to right."""
        return self.accuracies, self.sizes, self.latencies


def _milliseconds(value: float) -> str:
    return f"{value:.3g} ms"


def _percent(value: float) -> str:
    return f"{value:.1f} %"
