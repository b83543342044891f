"""The golden check: the board runs the samples, and the PC judges whether the outputs are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from studio.boards.book import Board
from studio.boards.links.faults import failed
from studio.boards.links.link import Link, Reply
from studio.boards.release.protocol import Releases
from studio.boards.report import BoardRun
from studio.boards.runs.jobs import Job
from studio.boards.runtime.tools import Tool, tool_for
from studio.control import Control
from studio.errors import BoardError

CANNOT_LOAD = 69


@dataclass(frozen=True, slots=True)
class Timing:
    """How to time: `runs` at most, for `seconds` at most (0 = no limit), on `cores` ("0,1"; "" = any)."""

    runs: int
    warm_up: int
    threads: int
    seconds: float = 0.0
    cores: str = ""

    def options(self, tool: Tool) -> dict[str, str | int | float]:
        """As the runner's arguments; whatever counts energy on the board is read as well."""
        counts = {
            "runs": self.runs,
            "warm-up": self.warm_up,
            "threads": self.threads,
        }
        return {**counts, "seconds": self.seconds, "cores": self.cores, **tool.gauges}


class _Output(msgspec.Struct):
    name: str
    worst: float | None
    why: str = ""
    exact: bool = False
    sample: int = 0


class _Said(msgspec.Struct):
    """What the runner printed."""

    ort: str
    python: str
    samples: int
    tolerance: float
    outputs: list[_Output]
    load_ms: float
    first_ms: float
    times_ms: list[float]
    peak_bytes: int
    joules: float | None = None


def prove(
    link: Link, board: Board, releases: Releases, release: str, timing: Timing, control: Control
) -> BoardRun:
    """Run goldens and timed inferences of a release; it goes on while the connection is gone.

    Never raises for a wrong model: `proved` is False and `reason` says why.
    """
    tool = tool_for(link, board, releases, control.part(0.0, 0.3))
    if tool.missing:
        return BoardRun(board.name, release, proved=False, reason=tool.missing)
    command = tool.command(f"{releases.folder}/releases/{release}", timing.options(tool))
    shown = control.part(0.3, 1.0)
    job = Job(link, board.name, releases, f"exec {command}")
    reply = job.run(shown, lambda line: show(line, shown))
    if reply.status:
        return _failed(board.name, release, reply, command)
    said = _decoded(board.name, reply)
    runtime = f"onnxruntime {said.ort}, " + (f"Python {said.python}" if said.python else "C runner")
    return _judged(
        BoardRun(board.name, release, False, runtime=runtime, command=command), said, timing.threads
    )


def _failed(board: str, release: str, reply: Reply, command: str) -> BoardRun:
    said = [line for line in reply.err.splitlines() if not line.startswith("step ")]
    why = said[-1].strip() if said else f"exit status {reply.status}"
    if reply.status == CANNOT_LOAD:
        reason = f"onnxruntime there cannot be loaded: {why}"
        return BoardRun(board, release, proved=False, reason=reason)
    return BoardRun(
        board, release, proved=False, reason=f"the model does not run there: {why}", command=command
    )


def _decoded(board: str, reply: Reply) -> _Said:
    try:
        return msgspec.json.decode(reply.out.strip().rpartition("\n")[2], type=_Said)
    except msgspec.DecodeError as error:
        raise failed(board, f"the runner's answer makes no sense ({error})", reply) from error


def quantile(ordered: Sequence[float], share: float) -> float:
    """The `share` quantile of sorted values, by linear interpolation between neighbours."""
    if not ordered:
        return 0.0
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def within_budget(run: BoardRun, p95_ms: float, peak_bytes: int) -> str:
    """Why the run breaks a budget (0 = no budget), else ""."""
    if p95_ms and run.p95 > p95_ms:
        return f"too slow: p95 {run.p95:.2f} ms, the budget is {p95_ms:.2f} ms"
    if peak_bytes and run.peak_bytes > peak_bytes:
        return f"too much memory: {run.peak_bytes >> 20} MiB, the budget is {peak_bytes >> 20} MiB"
    return ""


def refused(run: BoardRun, reason: str, active: str) -> BoardError:
    """A release that must not become active."""
    stays = f"{active} stays active" if active else "nothing was switched"
    return BoardError(
        f"release {run.release} on {run.board}",
        f"{reason}; {stays}",
        "Compare the model with the original, then push again.",
    )


def _judged(run: BoardRun, said: _Said, threads: int) -> BoardRun:
    times = sorted(said.times_ms)
    wrong = [why for output in said.outputs if (why := _wrong(output, said.tolerance))]
    shares = [output.worst for output in said.outputs if output.worst is not None and not output.exact]
    return replace(
        run,
        proved=not wrong and said.samples > 0,
        reason="; ".join(wrong),
        worst=max(shares, default=0.0),
        tolerance=said.tolerance,
        samples=said.samples,
        runs=len(times),
        threads=threads,
        load_ms=said.load_ms,
        first_ms=said.first_ms,
        p50=quantile(times, 0.50),
        p90=quantile(times, 0.90),
        p95=quantile(times, 0.95),
        p99=quantile(times, 0.99),
        peak_bytes=said.peak_bytes,
        joules=said.joules,
        samples_ms=tuple(said.times_ms),
    )


def _wrong(output: _Output, tolerance: float) -> str:
    if output.worst is None:
        return f"output {output.name!r}: {output.why}"
    if output.exact:
        different = (
            f"output {output.name!r}: {output.worst:.0f} values differ, first in sample {output.sample}"
        )
        return different if output.worst else ""
    if output.worst <= tolerance:
        return ""
    return (
        f"output {output.name!r} differs by {output.worst:.2%} of its range in sample {output.sample}, "
        f"allowed are {tolerance:.2%}"
    )


def show(line: str, control: Control) -> None:
    """Hand a `step FRACTION TEXT` line of a runner on."""
    word, _, rest = line.partition(" ")
    fraction, _, text = rest.partition(" ")
    if word == "step" and fraction.replace(".", "", 1).isdecimal():
        control.step(float(fraction), text)
