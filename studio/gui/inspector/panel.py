"""The inspector: follows the selected layer. Its figures are computed by the workbench, off this thread."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from studio.gui.bridge import INSPECT
from studio.gui.desk import Desk
from studio.gui.factsheet import FactSheet
from studio.gui.inspector import words
from studio.gui.inspector.pictures import Histogram, Ranges
from studio.gui.panel import Panel
from studio.gui.texts import T
from studio.jobs import Outcome
from studio.metrics import WeightView
from studio.project.changes import Changed

_SOON_MS = 120
_FACTS = 300


class Inspector(Panel):
    """`follow(name)` shows that layer, as soon as the panel is seen and the file is built."""

    def __init__(self, desk: Desk) -> None:
        body, bridge, look = QWidget(), desk.bridge, desk.look
        super().__init__(T.inspector, body)
        self._bridge, self._name = bridge, ""
        self._known: tuple[str, str] = ("", "")
        self.view: WeightView | None = None
        self.histogram, self.ranges = Histogram(T.weights_histogram, look), Ranges(T.weights_ranges, look)
        self._facts = FactSheet(_FACTS)
        self._arrange(body)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._ask)
        desk.selection.changed.connect(self.follow)
        bridge.changed.connect(self._again)
        bridge.ended.connect(self._take)

    def _arrange(self, body: QWidget) -> None:
        row = QHBoxLayout(body)
        row.setContentsMargins(2, 0, 10, 0)
        row.addWidget(self.histogram, 3)
        row.addWidget(self.ranges, 3)
        row.addWidget(self._facts)

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
        self._show_facts()
        wanted = (name, session.artifact.sha256 if session.artifact else "")
        if session.artifact is not None and wanted != self._known:
            self._known = wanted
            self._bridge.run(
                INSPECT, T.job_weights.format(name=name), lambda control: session.weights(name, control)
            )

    @Slot(object)
    def _take(self, outcome: Outcome) -> None:
        if outcome.lane != INSPECT:
            return
        value = outcome.value.value if isinstance(outcome.value, Changed) else None
        self.view = value if isinstance(value, WeightView) else None
        if value is None:
            self._known = ("", "")
        for picture in (self.histogram, self.ranges):
            picture.show_view(self.view)
        self._show_facts()

    def _show_facts(self) -> None:
        session = self._bridge.session
        self.say(self._name)
        view = self.view if self.view is not None and self.view.layer == self._name else None
        self._facts.show_lines(words.facts(session.facts, session.plan(), session.artifact, self._name, view))
