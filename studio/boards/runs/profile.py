"""Which operators take the time, from onnxruntime's own profile of a few runs on the board."""

from __future__ import annotations

import shlex
from collections import defaultdict

import msgspec

from studio.boards.links.faults import failed
from studio.boards.links.link import Link
from studio.boards.release.protocol import Releases
from studio.boards.report import OpTime
from studio.boards.runs.jobs import Job
from studio.boards.runtime.tools import Tool
from studio.control import Control

RUNS = 10
KEPT = 20


class _Arguments(msgspec.Struct):
    op_name: str = ""


class _Event(msgspec.Struct):
    cat: str = ""
    name: str = ""
    dur: float = 0.0
    args: _Arguments = msgspec.field(default_factory=_Arguments)


def profile(
    link: Link, releases: Releases, board: str, release: str, tool: Tool, threads: int, control: Control
) -> tuple[OpTime, ...]:
    """The operators by time, the slowest first. A run of its own: being watched costs time."""
    prefix = f"{releases.folder}/profile"
    options: dict[str, str | int | float] = {"runs": RUNS, "threads": threads, "profile": prefix}
    command = tool.command(f"{releases.folder}/releases/{release}", options)
    job = Job(link, board, releases, f"rm -f {shlex.quote(prefix)}*.json; exec {command}")
    reply = job.run(control, lambda _line: None)
    if reply.status:
        raise failed(board, "the profile", reply)
    read = link.run(f"cat {shlex.quote(prefix)}*.json && rm -f {shlex.quote(prefix)}*.json")
    if read.status:
        raise failed(board, "reading the profile", read)
    return _summed(read.out)


def _summed(text: str) -> tuple[OpTime, ...]:
    """Kernel times by operator, in ms per inference: all events, divided by how often each node was run."""
    events = [event for event in msgspec.json.decode(text, type=list[_Event]) if event.args.op_name]
    times: dict[str, float] = defaultdict(float)
    nodes: dict[str, set[str]] = defaultdict(set)
    counts: dict[str, int] = defaultdict(int)
    for event in events:
        if event.cat == "Node" and event.name.endswith("_kernel_time"):
            times[event.args.op_name] += event.dur / 1000
            nodes[event.args.op_name].add(event.name)
            counts[event.name] += 1
    runs = max(counts.values(), default=1)
    found = [OpTime(op, len(nodes[op]), total / runs) for op, total in times.items()]
    return tuple(sorted(found, key=lambda one: -one.ms)[:KEPT])
