"""Autosave: half a second after a change the work lies on disk, whatever becomes of this program."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from PySide6.QtCore import QObject, QTimer, Slot

from studio.control import Control
from studio.errors import StudioError
from studio.gui.bridge import Bridge
from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.project import changes, store
from studio.project.changes import Changed
from studio.project.recovery import Recovery
from studio.session.editor import State
from studio.session.session import Session

KEEP = "keep"
_SOON_MS = 500
_WORTH = frozenset(
    {
        changes.MODEL,
        changes.DATA,
        changes.RECIPE,
        changes.JOURNAL,
        changes.HISTORY,
        changes.SENSITIVITY,
        changes.PROJECT,
    }
)
_AT_ONCE = frozenset({changes.MODEL, changes.PROJECT})


class Keeper(QObject):
    """Keeps a snapshot for recovery, and the project itself where the work has one."""

    def __init__(self, bridge: Bridge, recovery: Recovery, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge, self.recovery = bridge, recovery
        bridge.session.keeps = True
        self._writing, self._closed = Lock(), False
        self._left: dict[int, State] = {}  # by opening: what another model took the place of
        self._saved: set[int] = set()  # the openings that lie in a project as they were left
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SOON_MS)
        self._timer.timeout.connect(self._keep)
        bridge.changed.connect(self._take)

    @Slot(object)
    def _take(self, change: Changed[Any]) -> None:
        if changes.MODEL in change:
            self._leave(self._bridge.session.left)
        if change.what & _AT_ONCE:
            self._bridge.run(KEEP, KEEP, self._write, replace=False, quiet=True)
        # Not started anew by the next change: a long drag would never be kept.
        elif change.what & _WORTH and not self._timer.isActive():
            self._timer.start()

    def _leave(self, state: State) -> None:
        """Its last edits may be younger than the last snapshot."""
        if worth_keeping(state):
            self._left[state.opening] = state

    @Slot()
    def _keep(self) -> None:
        if self._bridge.busy(KEEP):  # a slow disk: what it writes now is not the newest
            self._timer.start()
        else:
            self._bridge.run(KEEP, KEEP, self._write, replace=False, quiet=True)

    def _write(self, control: Control) -> None:
        with self._writing:
            if not self._closed:
                self._write_all()

    def _write_all(self) -> None:
        """What was left first: only then other windows may have its project."""
        while self._left:
            self._write_one(self._left.popitem()[1])
        self._bridge.session.claim()
        if worth_keeping(state := self._bridge.session.state):
            self._write_one(state)

    def _write_one(self, state: State) -> None:
        """One state into both places: what is opened meanwhile must not get into the project of this."""
        kept = self._bridge.session.snapshot(state)
        self._saved.discard(state.opening)
        self.recovery.keep(kept, state.opening)
        if state.project:
            store.save(Path(state.project), kept)
            self._saved.add(state.opening)

    def close(self) -> None:
        """The program ends in peace: saved work needs no recovery, other work stays for next time."""
        self._timer.stop()
        with self._writing:
            self._closed = True
            now = self._bridge.session.state
            for state in (*self._left.values(), now):
                if worth_keeping(state):
                    with suppress(StudioError):  # what its project cannot take lies in the snapshot
                        self._write_one(state)
            if not worth_keeping(now):
                self._saved.add(now.opening)
            for opening in self._saved:
                self.recovery.drop(opening)


def progress_of(session: Session) -> str:
    """How far the work has come, in a line: edits, size, accuracy."""
    measured, edits = session.measured, len(session.journal.steps) - 1
    parts = [T.recent_edits.format(n=edits)] if edits else []
    if measured is not None:
        parts.append(numbers.size(measured.artifact.bytes))
        if measured.comparison is not None:
            parts.append(numbers.value(measured.comparison.optimized))
    return "  ·  ".join(parts)


def worth_keeping(state: State) -> bool:
    """Whether there is more than a model just opened."""
    return state.journal is not None and len(state.journal.steps) > 1
