"""Serve mode: the active release kept running on the board, so that a rollback means something."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from studio.boards.book import Board
from studio.boards.links.faults import failed
from studio.boards.links.link import Link
from studio.boards.release.protocol import JOBS, SERVE, Releases
from studio.boards.runtime.native import native
from studio.boards.runtime.tools import look
from studio.control import Control
from studio.errors import BoardError

_JOB = "serve"


@dataclass(frozen=True, slots=True)
class Serving:
    """`state` is `running` or `stopped`; the rest is what the runner last wrote down.

    `health` is `ok`, `wrong` (the golden check failed there) or "" where nothing was written yet. `checks`
    are golden samples run since the start, `served` the requests answered on `socket`, `last_ms` the time
    of the last check.
    """

    board: str
    state: str
    health: str = ""
    release: str = ""
    checks: int = 0
    served: int = 0
    last_ms: float = 0.0
    socket: str = ""


def start(link: Link, board: Board, control: Control) -> Serving:
    """Put the C runner there where it is missing and start the loop; nothing where it runs already."""
    releases = Releases(link, board)
    releases.prepare(control)
    if not releases.status().active:
        raise BoardError(f"board {board.name}", "nothing is active there", "Push a release first.")
    if state(link, board).state == "running":
        return state(link, board)
    tool = native(link, releases, look(link, board.name), control)
    if tool.missing:
        raise BoardError(f"board {board.name}", tool.missing, "Serve with your own program there.")
    stop(link, board)
    folder = releases.folder
    script = shlex.join(["exec", "sh", f"{folder}/bin/{SERVE}", folder, tool.runner, tool.library])
    reply = link.feed(_words(folder, "start"), script.encode(), control)
    if reply.status:
        raise failed(board.name, "serve", reply)
    return state(link, board)


def state(link: Link, board: Board) -> Serving:
    """What runs now, and what it last said."""
    folder = Releases(link, board).folder
    there = link.run(f"test -d {shlex.quote(f'{folder}/jobs/{_JOB}')} && {_words(folder, 'look')}")
    running = there.out.startswith("running")
    text = link.run(f"cat {shlex.quote(f'{folder}/health')}").out if running else ""
    said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return Serving(
        board.name,
        "running" if running else "stopped",
        said.get("state", ""),
        said.get("release", "").rpartition("/")[2],
        int(said.get("checks", 0)),
        int(said.get("served", 0)),
        float(said.get("last_ms", 0)),
        f"{folder}/socket" if running else "",
    )


def stop(link: Link, board: Board) -> Serving:
    """End the loop and the runner."""
    folder = Releases(link, board).folder
    quoted = shlex.quote(f"{folder}/health")
    link.run(f"test -f {shlex.quote(f'{folder}/bin/{JOBS}')} && {_words(folder, 'stop')}; rm -f {quoted}")
    return state(link, board)


def log(link: Link, board: Board, lines: int) -> str:
    """The last lines that the runner and its loop wrote; "" where nothing was ever served."""
    folder = Releases(link, board).folder
    files = [f"{folder}/serve.log", f"{folder}/jobs/{_JOB}/err"]
    shown = "; ".join(f"tail -n {lines} {shlex.quote(each)} 2>/dev/null" for each in files)
    return link.run(f"{shown}; true").out


def _words(folder: str, verb: str) -> str:
    return shlex.join(["sh", f"{folder}/bin/{JOBS}", folder, verb, _JOB])
