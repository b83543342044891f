"""A longer run of a release that is on the board already."""

from __future__ import annotations

from dataclasses import dataclass

from studio.boards.book import Board
from studio.boards.link import Link
from studio.boards.proof import prove
from studio.boards.protocol import Releases
from studio.boards.report import BoardRun
from studio.boards.trust import doubts
from studio.control import Control
from studio.errors import BoardError


@dataclass(frozen=True, slots=True)
class Bench:
    """How to measure; see `Boards.bench`."""

    release: str
    runs: int
    threads: int
    warm_up: int


def bench(link: Link, board: Board, wish: Bench, control: Control) -> BoardRun:
    """See `Boards.bench`."""
    releases = Releases(link, board)
    release = _chosen(releases, board, wish.release)
    releases.prepare(control)
    releases.verb("check", release)
    run = prove(link, board, releases.folder, release, wish.runs, wish.warm_up, wish.threads, control)
    return doubts(link, run)


def _chosen(releases: Releases, board: Board, wanted: str) -> str:
    status = releases.status()
    release = wanted or status.active
    if not release:
        raise BoardError(f"board {board.name}", "nothing is active there", "Push a release first.")
    if release not in {one.id for one in status.releases}:
        raise BoardError(f"release {release}", f"not on {board.name}", "List what is there first.")
    return release
