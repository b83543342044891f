"""What the board panel says about releases and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.gui import numbers
from studio.gui.texts import T

if TYPE_CHECKING:
    from studio.boards.report import BoardRun, BoardStatus, Pushed, Release

Line = tuple[str, str]


def state_line(status: BoardStatus) -> str:
    """In what state the board is."""
    texts = {
        "empty": T.board_state_empty,
        "unconfirmed": T.board_state_unconfirmed.format(tries=status.tries),
        "confirmed": T.board_state_confirmed,
    }
    return texts.get(status.state, status.state)


def release_line(release: Release) -> Line:
    """Id and remarks of a release."""
    states = {"active": T.board_active, "previous": T.board_previous, "failed": T.board_failed}
    state = states.get(release.state, release.state)
    size = numbers.size(release.kib * 1024)
    return release.id[:12], "  ·  ".join(filter(None, (state, size, release.proof)))


def run_lines(run: BoardRun) -> tuple[Line, ...]:
    """What was measured there, outputs first."""
    outputs = (T.board_outputs, _outputs(run))
    if not run.ran:
        return (outputs,)
    lines = [
        outputs,
        (T.board_p50, f"{run.p50:.2f} ms"),
        (T.board_p95, f"{run.p95:.2f} ms"),
        (T.board_peak, numbers.size(run.peak_bytes)),
        (T.board_runtime, run.runtime),
    ]
    return tuple((name, text) for name, text in lines if text)


def pushed_line(pushed: Pushed) -> str:
    """What went over the wire."""
    return T.board_sent.format(
        sent=numbers.size(pushed.sent), bytes=numbers.size(pushed.bytes), seconds=pushed.seconds
    )


def _outputs(run: BoardRun) -> str:
    if run.proved:
        return T.board_equal.format(n=run.samples, worst=run.worst, tolerance=run.tolerance)
    text = T.board_unequal if run.ran else T.board_not_run
    return text.format(reason=run.reason)
