"""The room of the graph: the original alone or with the optimized graph beside it, or Netron's view."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from studio.graph.differences import CHANGED, INSERTED, REMOVED, Differences
from studio.gui.bridge import Bridge
from studio.gui.graph.beside import Tie, known
from studio.gui.graph.ranges import Ranges
from studio.gui.graph.view import GraphView
from studio.gui.looks import icons
from studio.gui.looks.theme import Theme
from studio.gui.netron.tab import NetronTab
from studio.gui.panel import Elided
from studio.gui.texts.texts import T
from studio.jobs import Outcome
from studio.project import changes
from studio.project.changes import Changed

COMPARE = "compare graphs"
_COUNTS = {REMOVED: T.graph_removed, INSERTED: T.graph_inserted, CHANGED: T.graph_changed}


class GraphRoom(QWidget):
    """`original` is the window's graph; `optimized` comes when it is asked for, through `switch`."""

    wide = Signal(bool)  # whether more room is needed than for one graph

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge, self._shown_file, self._picked_name = bridge, "", ""
        self.original, self.optimized = GraphView(), GraphView()
        self.tie = Tie(self.original, self.optimized, self)
        self.heads = Elided(12), Elided(12)
        self.switch, self.netron_switch, self.netron = QToolButton(), QToolButton(), NetronTab()
        self._arrange()
        self.switch.toggled.connect(self.compare)
        self.netron_switch.toggled.connect(self.show_netron)
        self.netron.picked.connect(self._picked)
        self.original.marked.connect(self._find_in_netron)
        Ranges(bridge, self).came.connect(self.original.set_ranges)
        self.optimized.selected.connect(self.original.selected)
        self.optimized.failed.connect(self.original.failed)
        self.original.mode_chosen.connect(self._follow_mode)
        bridge.changed.connect(self._take)
        bridge.ended.connect(self._take_end)

    def _arrange(self) -> None:
        self.switch.setCheckable(True)
        self.switch.setToolTip(T.graph_compare)
        self.switch.setAccessibleName(T.graph_compare)
        self.switch.setIconSize(QSize(18, 18))
        self.sides = QSplitter(Qt.Orientation.Horizontal)
        self.sides.setHandleWidth(6)
        self.sides.setChildrenCollapsible(False)
        views = self.original, self.optimized
        sides = [_side(head, view) for head, view in zip(self.heads, views, strict=True)]
        for side in sides:
            self.sides.addWidget(side)
        self._second = sides[1]
        self.optimized.toolbar.hide()
        self.optimized.crumbs.hide()
        self.heads[0].hide()
        self._second.hide()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.sides)
        self.pages.addWidget(self.netron)
        self.netron_switch.setText(T.netron)
        self.netron_switch.setToolTip(T.netron_tip)
        self.netron_switch.setCheckable(True)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.pages)

    def compare(self, on: bool) -> None:
        """Show the optimized graph beside the original, or take it away."""
        self.switch.setChecked(on)
        self.heads[0].setVisible(on)
        self._second.setVisible(on)
        self.tie.on = False
        self.wide.emit(on)
        if on:
            self.sides.setSizes([1000, 1000])
            self._say(None)
            self._look()
            return
        self._bridge.cancel(COMPARE)
        self._shown_file = ""
        self.original.set_change({})
        self.optimized.set_facts(None)

    def show_netron(self, on: bool) -> None:
        """Netron's view in place of ours, or ours again."""
        self.pages.setCurrentIndex(int(on))
        if on:
            self._tell_netron()
            self.netron.show_file()

    def _tell_netron(self) -> None:
        session = self._bridge.session
        if session.document is not None:
            built = session.artifact.path if session.artifact is not None else ""
            self.netron.set_files(session.facts.path, built)

    def _picked(self, name: str) -> None:
        """A click on a node of Netron's view selects it everywhere."""
        names = known((name,), self.original)
        if names:
            self._picked_name = names[0]
            self.original.set_selection(names)
            self.original.selected.emit(names)

    def _find_in_netron(self) -> None:
        """What is selected anywhere is found in Netron's view too, but for what was clicked there."""
        name = next(iter(self.original.shown.names), "")
        if self.netron_switch.isChecked() and name and name != self._picked_name:
            self._picked_name = ""
            self.netron.show_node(name)

    def set_theme(self, theme: Theme) -> None:
        """Dress both graphs, and Netron."""
        self.netron.set_theme(theme)
        for view in (self.original, self.optimized):
            view.set_theme(theme)
        for head in self.heads:
            head.setStyleSheet(f"color: {theme.muted}")
        self.switch.setIcon(icons.icon("compare", theme.text, theme.ghost))

    def end(self) -> None:
        """End the threads that lay out, and the browser."""
        self.netron.end()
        self.original.end()
        self.optimized.end()

    def _look(self) -> None:
        """Build the file of now, where it is not yet, and read its graph."""
        session = self._bridge.session
        self._bridge.run(COMPARE, T.job_optimized, lambda control: session.differences(control))

    @Slot(object)
    def _take(self, change: Changed[Any]) -> None:
        if self.netron_switch.isChecked():
            self._tell_netron()
        if not self.switch.isChecked():
            return
        artifact = self._bridge.session.artifact
        if changes.MODEL in change:
            self.compare(False)
        elif artifact is not None and artifact.sha256 != self._shown_file:
            self._look()

    @Slot(object)
    def _take_end(self, outcome: Outcome) -> None:
        if outcome.lane != COMPARE or not self.switch.isChecked() or not isinstance(outcome.value, Changed):
            return
        artifact = self._bridge.session.artifact
        self._shown_file = artifact.sha256 if artifact is not None else ""
        self._show(outcome.value.value)

    def _show(self, found: Differences) -> None:
        self._say(found)
        self.original.set_change(found.in_original)
        self.tie.on = False
        self.optimized.like = self.original.shown.outline
        self.optimized.set_facts(found.optimized, self.original.shown.expanded)
        self.optimized.set_change(found.in_optimized)
        self._join()

    def _join(self) -> None:
        """Tie the two as soon as the second one is drawn."""
        if self.optimized.shown.scene is None:
            self.optimized.drawn.connect(self._join, Qt.ConnectionType.SingleShotConnection)
        else:
            self.tie.begin(self.original, self.optimized)

    def _say(self, found: Differences | None) -> None:
        texts = [T.graph_building] * 2
        if found is not None:
            texts = [_counts(found, (REMOVED, CHANGED)), _counts(found, (INSERTED, CHANGED))]
        for head, name, text in zip(self.heads, (T.graph_original, T.graph_optimized), texts, strict=True):
            head.setText(f"{name} · {text}")

    def _follow_mode(self, mode: str) -> None:
        self.optimized.set_mode(mode)


def _counts(found: Differences, marks: tuple[str, ...]) -> str:
    counts = [(mark, len(getattr(found, mark))) for mark in marks]
    said = [_COUNTS[mark].format(n=count) for mark, count in counts if count]
    return " · ".join(said) or T.graph_same


def _side(head: QWidget, view: GraphView) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    line = QHBoxLayout()
    line.setContentsMargins(14, 0, 8, 2)
    line.addWidget(head)
    column.addLayout(line)
    column.addWidget(view, 1)
    made.setMinimumWidth(160)
    return made
