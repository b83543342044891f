"""Says where the GUI thread was when one event kept it busy for too long; on where `TRIMTAB_WATCHDOG` is set.

Counted is processor time of the GUI thread within one event, those it sends on its way included: other
work on the machine does not stretch it. A thread beside it looks at the stack as soon as the limit is
passed, so that the report names the culprit and not what came after.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QThread
from PySide6.QtWidgets import QApplication

VARIABLE = "TRIMTAB_WATCHDOG"
LIMIT = 0.050
_LOOK = 0.005
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Blocked:
    """One event that took too long: processor milliseconds, what it was, the Python stack on the way."""

    milliseconds: float
    event: str
    receiver: str
    stack: str

    def __str__(self) -> str:
        head = f"blocked for {self.milliseconds:.0f} ms: {self.event} of {self.receiver}"
        return f"{head}\n{self.stack}".rstrip()


def _warn(found: Blocked) -> None:
    _log.warning("%s", found)


class Watchdog:
    """Watches one thread between `begin` and `end`; `report` is called on it, after a long event."""

    def __init__(self, report: Callable[[Blocked], None] = _warn, limit: float = LIMIT) -> None:
        self.report, self.limit = report, limit
        self._ident = threading.get_ident()
        self._clock = time.pthread_getcpuclockid(self._ident)
        self._began: float | None = None
        self._stack = ""
        self._stop = threading.Event()
        self._eye = threading.Thread(target=self._look, name="watchdog", daemon=True)
        self._eye.start()

    def begin(self) -> None:
        """An event begins."""
        self._stack = ""
        self._began = time.thread_time()

    def end(self, event: str, receiver: str) -> None:
        """It is over; `event` and `receiver` are named where it was too long."""
        began, self._began = self._began, None
        spent = time.thread_time() - began if began is not None else 0.0
        if spent > self.limit:
            self.report(Blocked(spent * 1000, event, receiver, self._stack))

    def spent(self) -> float:
        """Processor seconds of the event that is running."""
        began = self._began
        return time.clock_gettime(self._clock) - began if began is not None else 0.0

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._eye.join()

    def _look(self) -> None:
        while not self._stop.wait(_LOOK):
            if not self._stack and self.spent() > self.limit:
                frame = sys._current_frames().get(self._ident)
                self._stack = "".join(traceback.format_stack(frame)) if frame is not None else ""


class Watched(QApplication):
    """An application whose every event is timed; one within another counts for the outer one.

    Events of a loop within an event (a menu, a dialog) count for themselves.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(list(arguments))
        self.watchdog = Watchdog()
        self._levels: list[int] = []
        self.aboutToQuit.connect(self.watchdog.close)

    def notify(self, receiver: QObject, event: QEvent) -> bool:
        level = QThread.currentThread().loopLevel()
        if QThread.currentThread() is not self.thread() or (self._levels and self._levels[-1] == level):
            return super().notify(receiver, event)
        named = event.type().name, type(receiver).__name__
        self._levels.append(level)
        self.watchdog.begin()
        try:
            return super().notify(receiver, event)
        finally:
            self._levels.pop()
            self.watchdog.end(*named)
