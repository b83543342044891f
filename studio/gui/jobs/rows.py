"""One job as the jobs panel tells it, and the arithmetic of its remaining time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from studio.errors import StudioError
from studio.graph.model import Facts
from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.jobs import Outcome
from studio.metrics import LatencyPair
from studio.project.changes import Changed, Measured
from studio.search.front import Found
from studio.workbench.api import Written

_SURE_FRACTION, _SURE_SECONDS = 0.03, 1.0


class State(Enum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Row:
    """Times are seconds of one monotonic clock; `ended` is None while it runs; `stopped` by the user."""

    ticket: int
    lane: str
    label: str
    began: float
    state: State = State.RUNNING
    fraction: float = 0.0
    detail: str = ""
    ended: float | None = None
    stopped: bool = False

    def seconds(self, now: float) -> float:
        """How long it has run, or ran."""
        return (now if self.ended is None else self.ended) - self.began

    def left(self, now: float) -> float | None:
        """Seconds still to come at the pace so far; None while there is too little to tell by."""
        return left(self.seconds(now), self.fraction) if self.state is State.RUNNING else None


def left(spent: float, fraction: float) -> float | None:
    """Seconds still to come where `spent` took `fraction` of the way; None where that says too little."""
    if fraction < _SURE_FRACTION or spent < _SURE_SECONDS:
        return None
    return spent * (1 - fraction) / fraction


def time_text(row: Row, now: float) -> str:
    """How long it took, or how long it will take."""
    seconds = row.left(now)
    return duration(row.seconds(now)) if seconds is None else left_text(seconds)


def left_text(seconds: float) -> str:
    """How long still."""
    return T.jobs_left.format(time=duration(seconds))


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3:07`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"


def state_of(outcome: Outcome) -> State:
    if outcome.cancelled:
        return State.CANCELLED
    return State.DONE if outcome.error is None else State.FAILED


def result(outcome: Outcome) -> str:
    """What came of it, in a line."""
    if outcome.cancelled:
        return T.jobs_cancelled
    if isinstance(outcome.error, StudioError):
        return str(outcome.error)
    if outcome.error is not None:
        return f"{T.bug_thing}: {outcome.error}"
    value = outcome.value.value if isinstance(outcome.value, Changed) else outcome.value
    return _words(value) or T.jobs_done


def _words(value: object) -> str:
    if isinstance(value, Written):
        return f"{value.path}, {numbers.size(value.bytes)}"
    if isinstance(value, Measured):
        return _measured(value)
    if isinstance(value, Found):
        return f"{value.best.label}: {numbers.size(value.best.artifact.bytes)}"
    if isinstance(value, LatencyPair):
        return f"{value.optimized.p50:.2f} ms, {T.card_was.format(value=f'{value.original.p50:.2f} ms')}"
    if isinstance(value, Facts):
        return T.jobs_opened.format(nodes=len(value.nodes), layers=len(value.layers))
    return str(value) if isinstance(value, Path) else ""


def _measured(value: Measured) -> str:
    size = numbers.size(value.artifact.bytes)
    found = value.comparison
    return size if found is None else f"{size}, {numbers.value(found.optimized)} (n = {found.optimized.n})"
