"""The item model of the jobs panel, newest first; it listens to the bridge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import IntEnum
from time import monotonic
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, Slot

from studio.gui.jobs.rows import Row, State, result, state_of, time_text
from studio.gui.tables import TableModel
from studio.gui.texts.texts import T
from studio.jobs import Advance, Outcome

_KEPT = 60


class Column(IntEnum):
    NAME = 0
    PROGRESS = 1
    TIME = 2
    RESULT = 3


_STATES = {
    State.DONE: T.jobs_done,
    State.FAILED: T.jobs_failed,
    State.CANCELLED: T.jobs_cancelled,
}


class JobsModel(TableModel[Row]):
    """A job that a newer wish replaced leaves no row; of equal ones that ended the newest stays."""

    titles = (T.jobs_name, T.jobs_progress, T.jobs_time, T.jobs_result)

    def __init__(self, parent: QObject | None = None, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._rows: list[Row] = []

    def text(self, row: Row, column: int) -> str:
        """What a cell says."""
        if column == Column.NAME:
            return row.label
        if column == Column.TIME:
            return time_text(row, self._clock())
        if column == Column.RESULT:
            return row.detail
        return _STATES.get(row.state) or f"{row.fraction * 100:.0f} %"

    def tip(self, row: Row) -> str:
        return ", ".join(filter(None, (self.text(row, column) for column in Column)))

    @property
    def running(self) -> tuple[Row, ...]:
        """What has not ended yet, newest first."""
        return tuple(row for row in self._rows if row.state is State.RUNNING)

    def tick(self) -> None:
        """The clock went on: times of running jobs change."""
        for place, row in enumerate(self._rows):
            if row.state is State.RUNNING:
                self._say(place)

    @Slot(str, str, int)
    def begin(self, lane: str, label: str, ticket: int) -> None:
        """A job was given to `lane`."""
        self.beginInsertRows(QModelIndex(), 0, 0)
        self._rows.insert(0, Row(ticket, lane, label, self._clock()))
        self.endInsertRows()
        while len(self._rows) > _KEPT and self._rows[-1].state is not State.RUNNING:
            self._drop(len(self._rows) - 1)

    @Slot(object)
    def advance(self, advance: Advance) -> None:
        """A job is further."""
        place = self._place(advance.ticket)
        if place is not None and self._rows[place].state is State.RUNNING:
            self._put(place, fraction=advance.fraction, detail=advance.text)

    def stop(self, ticket: int) -> None:
        """The user wants this job to stop."""
        place = self._place(ticket)
        if place is not None:
            self._put(place, stopped=True)

    @Slot(object)
    def end(self, outcome: Outcome) -> None:
        """A job has ended."""
        place = self._place(outcome.ticket)
        if place is None:
            return
        replaced = outcome.cancelled and not self._rows[place].stopped
        if replaced and any(row.lane == outcome.lane for row in self._rows[:place]):
            self._drop(place)
            return
        ended = {"state": state_of(outcome), "detail": result(outcome), "ended": self._clock()}
        self._put(place, **ended)
        self._drop_older(place)

    def clear(self) -> None:
        """Forget what has ended."""
        for place in reversed(range(len(self._rows))):
            if self._rows[place].state is not State.RUNNING:
                self._drop(place)

    def _drop_older(self, place: int) -> None:
        mine = self._rows[place]
        for other in reversed(range(place + 1, len(self._rows))):
            row = self._rows[other]
            if (row.lane, row.label) == (mine.lane, mine.label) and row.state is not State.RUNNING:
                self._drop(other)

    def _place(self, ticket: int) -> int | None:
        return next((place for place, row in enumerate(self._rows) if row.ticket == ticket), None)

    def _put(self, place: int, **values: Any) -> None:
        self._rows[place] = replace(self._rows[place], **values)
        self._say(place)

    def _say(self, place: int) -> None:
        self.dataChanged.emit(self.index(place, 0), self.index(place, len(Column) - 1))

    def _drop(self, place: int) -> None:
        self.beginRemoveRows(QModelIndex(), place, place)
        del self._rows[place]
        self.endRemoveRows()
