"""What the board panel says about releases and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.metrics import on_board

if TYPE_CHECKING:
    from studio.boards.facts import BoardFacts
    from studio.boards.report import BoardRun, BoardStatus, Pushed, Release
    from studio.boards.runs.serving import Serving
    from studio.session.session import Session

Line = tuple[str, str]
BREAK = "\u200b"


def breakable(text: str) -> str:
    """Fingerprints and paths have no place to wrap: they may at every sign."""
    return BREAK.join(text)


def state_line(status: BoardStatus) -> str:
    """In what state the board is."""
    texts = {
        "empty": T.board_state_empty,
        "unconfirmed": T.board_state_unconfirmed.format(tries=status.tries),
        "confirmed": T.board_state_confirmed,
    }
    return texts.get(status.state, status.state)


def facts_title(facts: BoardFacts) -> str:
    """Which board it is, as it calls itself."""
    return facts.model or facts.cpu or facts.machine


def facts_lines(facts: BoardFacts) -> tuple[str, ...]:
    """CPU, memory and system, what is known of them."""
    clock = f"{(facts.frequency_khz or facts.most_khz) // 1000} MHz" if facts.most_khz else ""
    cores = T.board_cores.format(n=facts.cores) if facts.cores else ""
    free, whole = (numbers.size(kib * 1024) for kib in (facts.free_kib, facts.memory_kib))
    memory = T.board_memory.format(free=free, whole=whole) if facts.memory_kib else ""
    disk = T.board_disk.format(free=numbers.size(facts.disk_kib * 1024)) if facts.disk_kib else ""
    hot = max((zone.celsius for zone in facts.zones), default=None)
    warm = f"{hot:.0f} °C" if hot is not None else ""
    lines = (
        (facts.machine, cores, clock, facts.governor, warm),
        (", ".join(facts.features),),
        (memory, disk),
        (facts.os, facts.libc),
    )
    said = (" · ".join(filter(None, line)) for line in lines)
    return tuple(filter(None, said))


def served_line(serving: Serving) -> str:
    """Whether something runs there, and how it does."""
    if serving.state != "running":
        return T.board_not_served
    healths = {"ok": T.board_health_ok, "wrong": T.board_health_wrong}
    health = healths.get(serving.health, T.board_health_none)
    text = T.board_running.format(release=serving.release[:12], health=health)
    counts = T.board_counts.format(checks=serving.checks, served=serving.served, ms=serving.last_ms)
    return f"{text}\n{counts}" if serving.checks else text


def release_line(release: Release) -> Line:
    """Id and remarks of a release."""
    states = {"active": T.board_active, "previous": T.board_previous, "failed": T.board_failed}
    state = states.get(release.state, release.state)
    size = numbers.size(release.kib * 1024)
    accuracy = release.meta.get("accuracy")
    right = f"{accuracy:.2f} %" if isinstance(accuracy, int | float) else ""
    when, _, who = release.pushed.partition(" ")
    pushed = T.board_by.format(when=when[:16].replace("T", " "), who=who) if who else ""
    return release.id[:12], "  ·  ".join(filter(None, (state, right, size, release.proof, pushed)))


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


def likely_lines(session: Session, board: str) -> tuple[Line, ...]:
    """What the recipe at hand should take on a board whose layers were timed, beside what was measured."""
    table = session.layer_table(board) if session.document is not None else None
    if table is None:
        return ()
    guess, measured = session.estimate_latency(board), session.measured
    runs = measured.on_boards if measured else ()
    real = next((each.p50 for each in runs if each.source == on_board(board)), None)
    slow = [row.layer for row in session.layer_times(board) if row.loses]
    lines = [
        (T.board_predicted, _ms(guess.value if guess else None)),
        (T.board_measured, _ms(real)),
        (T.board_whole, _ms(table.float_ms)),
        (T.board_whole_int8, _ms(table.int8_ms)),
        (T.board_loses, ", ".join(slow)),
    ]
    return tuple((name, text) for name, text in lines if text)


def _ms(value: float | None) -> str:
    return f"{value:.3f} ms" if value else ""


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
