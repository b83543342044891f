"""Asks what the tensors of the built file can hold, for the tool tips, when nothing is being measured."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from studio.gui.bridge import MEASURE, Bridge
from studio.gui.texts.texts import T
from studio.jobs import Outcome
from studio.project.changes import Changed

RANGES = "ranges"
_REST_MS = 900


class Ranges(QObject):
    """`came` carries a dict of `CodedRange` by tensor; an empty one where the file of now is not built."""

    came = Signal(object)

    def __init__(self, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge, self._of = bridge, ""
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._ask)
        bridge.changed.connect(self._take)
        bridge.ended.connect(self._take_end)

    @Slot(object)
    def _take(self, change: Changed[Any]) -> None:
        file = self._file()
        if file != self._of:
            self._of = ""
            self.came.emit({})
            if file:
                self._rest.start()

    def _file(self) -> str:
        session = self._bridge.session
        return session.artifact.sha256 if session.document is not None and session.artifact else ""

    @Slot()
    def _ask(self) -> None:
        file = self._file()
        if not file or file == self._of:
            return
        if self._bridge.busy(MEASURE):
            self._rest.start()
            return
        self._of = file
        self._bridge.run(RANGES, T.job_ranges, self._bridge.session.ranges, quiet=True)

    @Slot(object)
    def _take_end(self, outcome: Outcome) -> None:
        if outcome.lane == RANGES and isinstance(outcome.value, Changed):
            self.came.emit({each.tensor: each for each in outcome.value.value})
