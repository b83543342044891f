"""Gets the engine ready for the layer that was chosen, before its slider is touched."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Slot

from studio.gui.bridge import MEASURE, READY, Bridge
from studio.gui.desk import Selection
from studio.jobs import Outcome

_REST_MS = 150


class Readying(QObject):
    """Waits until the choice rests and nothing is measured; what an edit interrupts is taken up again."""

    def __init__(self, bridge: Bridge, selection: Selection) -> None:
        super().__init__(bridge)
        self._bridge, self._selection = bridge, selection
        self._done: tuple[str, ...] = ()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._begin)
        selection.changed.connect(self._rest.start)
        bridge.ended.connect(self._take_end)

    @Slot(object)
    def _take_end(self, outcome: Outcome) -> None:
        if outcome.lane == READY and outcome.error is not None:
            self._done = ()
        if outcome.lane == MEASURE and self._done != self._selection.names:
            self._rest.start()

    @Slot()
    def _begin(self) -> None:
        names, document = self._selection.names, self._bridge.session.document
        if names and document is not None and document.data is not None and not self._bridge.busy(MEASURE):
            self._done = names
            self._bridge.prepare(names)
