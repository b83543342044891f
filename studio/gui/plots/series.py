"""Points along the history of edits: what was measured of each state, and ghosts where nothing was yet."""

from __future__ import annotations

from collections.abc import Mapping
from csv import writer as csv_writer
from dataclasses import dataclass, replace
from io import StringIO

from studio.metrics import ESTIMATED, Figure, Latency
from studio.project.changes import Measured
from studio.project.journal import Journal


@dataclass(frozen=True, slots=True)
class Point:
    """One state on a plot. `step` is its place in the journal; `ghost` an estimate or a figure so far.

    Points of one `lane` are joined by a line of their own: here, or one board.
    """

    step: int
    label: str
    value: float
    low: float | None
    high: float | None
    n: int
    source: str
    ghost: bool
    lane: str = ""


@dataclass(frozen=True, slots=True)
class Guess:
    """A latency to come; `lane` is that of what is measured there."""

    figure: Figure
    lane: str


@dataclass(frozen=True, slots=True)
class Series:
    """What one plot shows: points in the order of edits, the original's value, and where we are."""

    points: tuple[Point, ...] = ()
    original: float | None = None
    at: int = 0


def accuracy(journal: Journal, found: Mapping[int, Measured]) -> Series:
    """Accuracy of every measured state, with its interval. `found` is keyed by revision."""
    points, original = [], None
    for step, state in enumerate(journal.steps):
        measured = found.get(state.document.revision)
        if measured is not None and measured.comparison is not None:
            original = measured.comparison.original.value
            points.append(_point(step, state.label, measured.comparison.optimized))
    return Series(tuple(points), original, journal.at)


def size(journal: Journal, found: Mapping[int, Measured], estimates: Mapping[int, Figure]) -> Series:
    """Bytes of every built state, and the estimate of one that is being built."""
    points = []
    for step, state in enumerate(journal.steps):
        revision = state.document.revision
        measured, guess = found.get(revision), estimates.get(revision)
        if measured is not None:
            built = Figure(float(measured.artifact.bytes), "bytes", 0, "")
            points.append(_point(step, state.label, built))
        elif guess is not None:
            points.append(_point(step, state.label, guess))
    return Series(tuple(points), float(journal.document.model.file_bytes), journal.at)


def latency(
    journal: Journal, found: Mapping[int, Measured], expected: Mapping[int, Guess] | None = None
) -> Series:
    """p50 of every timed state in ms, a lane for this computer and one for each board; `expected` holds by
    revision what a board's table says, which stands as a ghost until that board was asked.
    """
    guesses = expected or {}
    points, original = [], None
    for step, state in enumerate(journal.steps):
        measured, guess = found.get(state.document.revision), guesses.get(state.document.revision)
        times: list[Latency] = []
        if measured is not None and measured.pair is not None:
            original = measured.pair.original.p50
            times.append(measured.pair.optimized)
        times += measured.on_boards if measured is not None else ()
        points += [_timed(step, state.label, each) for each in times]
        if guess is not None and guess.lane not in {each.source for each in times}:
            points.append(replace(_point(step, state.label, guess.figure), ghost=True, lane=guess.lane))
    return Series(tuple(points), original, journal.at)


def csv(series: Series, value: str) -> str:
    """The points as comma-separated values with a head; the column of values is named `value`."""
    out = StringIO()
    writer = csv_writer(out, lineterminator="\n")
    writer.writerow(("step", "edit", value, "low", "high", "n", "source", "estimate"))
    for each in series.points:
        row = (each.step, each.label, each.value, each.low, each.high, each.n, each.source, each.ghost)
        writer.writerow("" if cell is None else cell for cell in row)
    return out.getvalue()


def _timed(step: int, label: str, times: Latency) -> Point:
    doubtful = bool(times.invalid)
    return Point(step, label, times.p50, None, None, times.runs, times.source, doubtful, times.source)


def _point(step: int, label: str, figure: Figure) -> Point:
    ghost = figure.source == ESTIMATED or not figure.final
    return Point(step, label, figure.value, figure.low, figure.high, figure.n, figure.source, ghost)
