"""Work in the GUI thread that is cut into turns of the event loop, so that input comes in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer, Slot

Step = Callable[[], object]


class Turns(QObject):
    """Runs steps one a turn. `take` puts others in place of those that wait: the newest wish counts."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: list[Step] = []
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)

    @property
    def busy(self) -> bool:
        """Whether steps wait."""
        return bool(self._waiting)

    def take(self, steps: Iterable[Step]) -> None:
        """Run these, from the next turn on."""
        self._waiting = list(steps)
        if self._waiting:
            self._timer.start()

    @Slot()
    def _turn(self) -> None:
        if len(self._waiting) <= 1:
            self._timer.stop()
        if self._waiting:
            self._waiting.pop(0)()
