"""Says where the GUI thread was when it kept the window waiting; on where `TRIMTAB_WATCHDOG` is set.

A quick timer beats in the event loop. Counted is processor time of the GUI thread from one beat to the
next: other work on the machine does not stretch it, and waiting is no work. A thread beside it looks at
the stack as soon as the limit is passed, so that the report names the culprit and not what came after.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer, Slot

VARIABLE = "TRIMTAB_WATCHDOG"
LIMIT = 0.050
_BEAT_MS, _LOOK = 5, 0.005
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Blocked:
    """A turn of the event loop that took too long: processor milliseconds, and the Python stack in it."""

    milliseconds: float
    stack: str

    def __str__(self) -> str:
        return f"the window waited for {self.milliseconds:.0f} ms\n{self.stack}".rstrip()


def _warn(found: Blocked) -> None:
    _log.warning("%s", found)


class Watchdog(QObject):
    """Watches the thread that makes it, until `close`; `report` is called there, after a long turn."""

    def __init__(
        self,
        report: Callable[[Blocked], None] = _warn,
        limit: float = LIMIT,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.report, self.limit = report, limit
        self._ident = threading.get_ident()
        self._clock = time.pthread_getcpuclockid(self._ident)
        self._last, self._stack = time.thread_time(), ""
        self._beat = QTimer(self)
        self._beat.setTimerType(Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._turn)
        self._beat.start(_BEAT_MS)
        self._stop = threading.Event()
        self._eye = threading.Thread(target=self._look, name="watchdog", daemon=True)
        self._eye.start()

    def close(self) -> None:
        """Stop looking."""
        self._beat.stop()
        self._stop.set()
        self._eye.join()

    def forgive(self) -> None:
        """What was done since the last turn was no event of the window."""
        self._last, self._stack = time.thread_time(), ""

    @Slot()
    def _turn(self) -> None:
        spent, stack = time.thread_time() - self._last, self._stack
        self.forgive()
        if spent > self.limit:
            self.report(Blocked(spent * 1000, stack))

    def _look(self) -> None:
        while not self._stop.wait(_LOOK):
            if not self._stack and time.clock_gettime(self._clock) - self._last > self.limit:
                frame = sys._current_frames().get(self._ident)
                self._stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
