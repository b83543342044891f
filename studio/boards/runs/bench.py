"""A longer run of a release that is on the board already."""

from __future__ import annotations

from dataclasses import dataclass, replace

from studio.boards.book import Board
from studio.boards.links.link import Link
from studio.boards.release.proof import Timing, prove
from studio.boards.release.protocol import Releases
from studio.boards.report import BoardRun
from studio.boards.runs.profile import profile
from studio.boards.runs.trust import condition, doubts
from studio.boards.runtime.tools import tool_for
from studio.control import Control
from studio.errors import BoardError


@dataclass(frozen=True, slots=True)
class Bench:
    """How to measure; see `Boards.bench`."""

    release: str
    timing: Timing
    profile: bool = False


def bench(link: Link, board: Board, wish: Bench, control: Control) -> BoardRun:
    """See `Boards.bench`."""
    releases = Releases(link, board)
    release = _chosen(releases, board, wish.release)
    releases.prepare(control)
    releases.verb("check", release)
    before = condition(link)
    run = prove(link, board, releases, release, wish.timing, control.part(0.0, 0.8))
    run = doubts(link, run, before)
    if wish.profile and run.ran:
        tool = tool_for(link, board, releases, control.part(0.8, 0.85))
        threads, rest = wish.timing.threads, control.part(0.85, 1.0)
        run = replace(run, ops=profile(link, releases, board.name, release, tool, threads, rest))
    return run


def _chosen(releases: Releases, board: Board, wanted: str) -> str:
    status = releases.status()
    release = wanted or status.active
    if not release:
        raise BoardError(f"board {board.name}", "nothing is active there", "Push a release first.")
    if release not in {one.id for one in status.releases}:
        raise BoardError(f"release {release}", f"not on {board.name}", "List what is there first.")
    return release
