"""What pushes and runs on boards say, as lines and as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from studio.cli import tables

if TYPE_CHECKING:
    from studio.boards.report import BoardRun, Pushed


def pushed_json(done: Pushed) -> dict[str, Any]:
    """What a push did, as plain data."""
    told: dict[str, Any] = msgspec.to_builtins(done)
    return told


def pushed_text(done: Pushed) -> str:
    """What a push did, in lines."""
    state = "active and confirmed" if done.confirmed else "active, not confirmed yet"
    lines = [
        ("release", done.release),
        ("sent", f"{tables.size(done.sent)} of {tables.size(done.bytes)} in {done.seconds:.1f} s"),
        ("state", state if done.activated else f"waits on the board: {done.reason}"),
    ]
    return f"{tables.pairs(lines)}\n{run_text(done.run)}"


def run_text(run: BoardRun) -> str:
    """Proof and times of a run on a board, in lines."""
    lines = [("goldens", _proof_text(run))]
    if run.ran:
        lines += [
            (
                "latency",
                f"p50 {run.p50:.3f} ms, p95 {run.p95:.3f} ms, {run.runs} runs",
            ),
            ("peak memory", tables.size(run.peak_bytes)),
            ("runtime", run.runtime),
        ]
    lines += [(f"{one.op} ({one.nodes})", f"{one.ms:.3f} ms") for one in run.ops[:8]]
    if run.joules is not None:
        lines.append(("energy", f"{run.joules * 1000:.2f} mJ per inference"))
    if run.invalid:
        lines.append(("beware", run.invalid))
    return tables.pairs(lines)


def _proof_text(run: BoardRun) -> str:
    if not run.proved:
        return f"not proved: {run.reason}"
    return f"{run.samples} samples equal (worst {run.worst:.2g}, allowed {run.tolerance:g} of the range)"
