"""A file timed on a board that goes on with what it does: nothing is switched, nothing stays there."""

from __future__ import annotations

from studio.boards.book import Board
from studio.boards.links.link import Link
from studio.boards.release.delta import deliver
from studio.boards.release.package import Package
from studio.boards.release.proof import Timing, prove
from studio.boards.release.protocol import Releases, manifest_digest
from studio.boards.release.signing import Signer, signed
from studio.boards.report import BoardRun
from studio.boards.runs.trust import condition, doubts
from studio.control import Control
from studio.errors import BoardError


def try_out(
    link: Link,
    board: Board,
    package: Package,
    timing: Timing,
    control: Control,
    sign: Signer | None = None,
) -> BoardRun:
    """See `Boards.try_out`."""
    releases = Releases(link, board, sign)
    package = signed(package, releases.sign)
    control.step(0.0, f"preparing {board.name}")
    releases.prepare(control)
    there = package.id in {release.id for release in releases.status().releases}
    if not there:
        deliver(releases, package, control.part(0.0, 0.4))
        releases.verb("commit", package.id, manifest_digest(package.manifest))
    try:
        before = condition(link)
        run = prove(link, board, releases, package.id, timing, control.part(0.4, 1.0))
    finally:
        if not there:
            releases.verb("delete", package.id)
    if not run.ran:
        raise BoardError(f"board {board.name}", run.reason, "Search without a limit on its time.")
    return doubts(link, run, before)
