"""The inspector: follows the selected layer. Its figures are computed by the workbench, off this thread."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.gui.bridge import INSPECT, SENSE
from studio.gui.desk import Desk
from studio.gui.figures.factsheet import FactSheet
from studio.gui.inspector import words
from studio.gui.inspector.curve import Curve, lines
from studio.gui.inspector.given import Given
from studio.gui.inspector.histogram import Histogram
from studio.gui.inspector.ranges import Ranges
from studio.gui.panel import Panel
from studio.gui.texts.texts import T
from studio.jobs import Outcome
from studio.metrics import Sensitivity, WeightView
from studio.project.changes import Changed

_SOON_MS = 120
_FACTS = 290


class Inspector(Panel):
    """`follow(name)` shows that layer, as soon as the panel is seen and the file is built.

    Weights come first; activations when nothing is being measured, so that they do not delay its figures.
    """

    def __init__(self, desk: Desk) -> None:
        body, bridge, look = QWidget(), desk.bridge, desk.look
        super().__init__(T.inspector, body)
        self._bridge, self._name = bridge, ""
        self._known: tuple[str, str] = ("", "")
        self._sensed: dict[tuple[str, str], Sensitivity] = {}
        self.view: WeightView | None = None
        self.histogram, self.ranges = Histogram(T.weights_histogram, look), Ranges(T.weights_ranges, look)
        self.activations, self.curve = Histogram(T.given_histogram, look), Curve(T.curve, look)
        self._facts, self.measure = FactSheet(_FACTS), QPushButton(T.curve_measure)
        self._given = Given(bridge, self)
        self._arrange(body)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._ask)
        self._given.came.connect(self._show_rest)
        self.measure.clicked.connect(bridge.sense)
        desk.selection.changed.connect(self.follow)
        bridge.changed.connect(self._again)
        bridge.sensed.connect(self._take_sensed)
        bridge.ended.connect(self._take)

    def _arrange(self, body: QWidget) -> None:
        row = QHBoxLayout(body)
        row.setContentsMargins(2, 0, 10, 0)
        row.setSpacing(0)
        for picture in (self.histogram, self.activations, self.ranges, self.curve):
            row.addWidget(picture, 1)
        row.addWidget(self._facts)
        inside = QVBoxLayout(self.curve)
        inside.addStretch(1)
        inside.addWidget(self.measure, 0, Qt.AlignmentFlag.AlignHCenter)
        self.measure.hide()

    def follow(self, names: tuple[str, ...]) -> None:
        """Show the first of these layers."""
        session = self._bridge.session
        known = session.facts.by_name if session.document is not None else {}
        name = next((name for name in names if name in known), "")
        if name and name != self._name:
            self._name = name
            self._again()

    @property
    def text(self) -> str:
        """The facts that it lists."""
        return self._facts.text

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._again()

    @Slot()
    def _again(self) -> None:
        if self._name and self.isVisible():
            self._soon.start()

    @Slot()
    def _ask(self) -> None:
        """Ask for the weights where the file of this state is built; else its arrival asks again."""
        session, name = self._bridge.session, self._name
        if session.document is None or name not in session.facts.by_name:
            return
        self._show_rest()
        wanted = (name, session.artifact.sha256 if session.artifact else "")
        if session.artifact is not None and wanted != self._known:
            self._known = wanted
            self._bridge.run(
                INSPECT, T.job_weights.format(name=name), lambda control: session.weights(name, control)
            )
        self._given.want(name)

    @Slot(object)
    def _take(self, outcome: Outcome) -> None:
        if outcome.lane == SENSE:
            self._sensed = {}
        if outcome.lane != INSPECT:
            return
        value = outcome.value.value if isinstance(outcome.value, Changed) else None
        self.view = value if isinstance(value, WeightView) else None
        if value is None:
            self._known = ("", "")
        self.histogram.show_view(self.view)
        self.ranges.show_view(self.view)
        self._show_rest()

    @Slot(object)
    def _take_sensed(self, found: Sensitivity) -> None:
        self._sensed[found.group, found.setting] = found
        if self.isVisible():
            self._show_curve()

    @Slot()
    def _show_rest(self) -> None:
        """What needs no waiting: facts, curve, and the activations that are there."""
        session, view, given = self._bridge.session, self.view, self._given.view
        if session.document is None or self._name not in session.facts.by_name:
            return
        self.say(self._name)
        view = view if view is not None and view.layer == self._name else None
        given = given if given is not None and given.layer == self._name else None
        lines = words.facts(session.facts, session.plan(), session.artifact, self._name, view, given)
        self._facts.show_lines(lines)
        self.activations.empty = self._given.why
        self.activations.show_view(
            given, T.given_under.format(source=given.source, n=given.samples) if given else ""
        )
        self._show_curve()

    def _show_curve(self) -> None:
        session, layer = self._bridge.session, self._bridge.session.facts.by_name[self._name]
        found = tuple(self._sensed.values()) or session.state.sensitivity
        group = layer.group or layer.name
        mine = [each.difference for each in found if each.group == group]
        remark = T.given_under.format(source=mine[0].source, n=mine[0].n) if mine else ""
        has_data = session.document is not None and session.document.data is not None
        self.curve.empty = T.curve_empty if has_data else T.curve_no_data
        self.curve.show_lines(layer.name, lines(found, group, session.plan().of(layer.name)), remark)
        self.measure.setVisible(has_data and not self.curve.known and not self._bridge.busy(SENSE))
