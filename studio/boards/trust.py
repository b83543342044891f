"""Whether times measured on a board just now can be trusted."""

from __future__ import annotations

from dataclasses import replace

from studio.boards.facts import parse
from studio.boards.link import Link
from studio.boards.report import BoardRun
from studio.control import Control
from studio.paths import resource


def doubts(link: Link, run: BoardRun) -> BoardRun:
    """The run, marked invalid where the board is emulated or throttled."""
    if not run.ran:
        return run
    reply = link.feed("sh -s", resource("board", "probe.sh").read_bytes(), Control())
    return replace(run, invalid=parse(run.board, reply.out).times_mean_nothing)
