"""Asks for what a layer gives out, when nothing is being measured, so that it delays no figure."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from studio.control import Control
from studio.errors import MeasureError
from studio.gui.bridge import MEASURE, Bridge
from studio.gui.texts.texts import T
from studio.jobs import Outcome
from studio.metrics import ActivationView
from studio.project.changes import Changed

ACTIVATIONS = "activations"
_REST_MS = 300


class Given(QObject):
    """`view` is of the layer and file last asked for, None while there is none; `why` says why not."""

    came = Signal()

    def __init__(self, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge, self._name = bridge, ""
        self._asked: tuple[str, str, str] = ("", "", "")
        self.view: ActivationView | None = None
        self.why = ""
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._ask)
        bridge.ended.connect(self._take)

    def want(self, name: str) -> None:
        """The activations of this layer in the file of now."""
        self._name = name
        wanted = self._wanted()
        if self.view is not None and self.view.layer != name:
            self.view = None
        self.why = T.given_coming if wanted[2] else T.given_no_data
        if all(wanted) and wanted != self._asked:
            self._rest.start()

    def _wanted(self) -> tuple[str, str, str]:
        """Layer, file and data."""
        session = self._bridge.session
        data = session.document.data if session.document is not None else None
        file = session.artifact.sha256 if session.artifact is not None else ""
        return self._name, file, data.key if data is not None else ""

    @Slot()
    def _ask(self) -> None:
        name, wanted = self._name, self._wanted()
        if not all(wanted) or wanted == self._asked:
            return
        if self._bridge.busy(MEASURE):
            self._rest.start()
            return
        self._asked = wanted
        self._bridge.run(ACTIVATIONS, T.job_activations.format(name=name), lambda c: self._look(name, c))

    def _look(self, name: str, control: Control) -> object:
        """What came, or why nothing can: a layer that the file no longer has is no failure of the job."""
        try:
            return self._bridge.session.activations(name, control)
        except MeasureError as error:
            return error

    @Slot(object)
    def _take(self, outcome: Outcome) -> None:
        if outcome.lane != ACTIVATIONS:
            return
        value = outcome.value.value if isinstance(outcome.value, Changed) else outcome.value
        self.view = value if isinstance(value, ActivationView) else None
        if isinstance(value, MeasureError):
            self.why = T.given_failed.format(why=value.cause)
        elif self.view is None:
            self._asked = ("", "", "")
        self.came.emit()
