"""Push: upload, verify, prove on the board, only then switch; the old release runs on until that moment."""

from __future__ import annotations

import getpass
import platform
import time
from dataclasses import dataclass, replace
from datetime import datetime

from studio.boards.book import Board
from studio.boards.links.link import Link
from studio.boards.release.delta import deliver, kept
from studio.boards.release.package import Package
from studio.boards.release.proof import Timing, prove, refused, within_budget
from studio.boards.release.protocol import PROVED, Releases, manifest_digest
from studio.boards.release.signing import Signer, signed
from studio.boards.report import BoardRun, Pushed
from studio.boards.runs.trust import condition, doubts
from studio.control import Control

WORTH_ASKING = 32 << 20
WARM_UP = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """How to push; see `Boards.push`."""

    confirm: bool
    allow_unproved: bool
    threads: int
    runs: int
    keep: int
    sign: Signer | None = None


def push(link: Link, board: Board, package: Package, wish: Wish, control: Control) -> Pushed:
    """See `Boards.push`."""
    start = time.monotonic()
    releases = Releases(link, board, wish.sign)
    control.step(0.0, f"preparing {board.name}")
    package = signed(package, releases.sign)
    releases.prepare(control)
    before = releases.status()
    sent = 0
    if package.id not in {release.id for release in before.releases}:
        sent = deliver(releases, package, control.part(0.02, 0.7))
    control.step(0.7, "verifying on the board")
    releases.verb("commit", package.id, manifest_digest(package.manifest))
    kept(package)
    releases.verb("note", package.id, _by())
    run = _proved(link, board, releases, package, wish, control.part(0.75, 0.97))
    switched, reason = _switch(releases, run, wish, before.active)
    if switched:
        releases.tidy(wish.keep)
    control.step(1.0, "pushed")
    seconds = time.monotonic() - start
    status = releases.status()
    confirmed = status.active == package.id and status.state == "confirmed"
    return Pushed(
        board.name, package.id, package.bytes, sent, seconds, run, switched, confirmed, reason, status
    )


def _by() -> str:
    """When and by whom, for the release list."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return f"{now} {getpass.getuser()}@{platform.node()}"


def _proved(
    link: Link, board: Board, releases: Releases, package: Package, wish: Wish, control: Control
) -> BoardRun:
    """Run the goldens from the release's folder and write down on the board what came out."""
    control.step(0.0, "running the golden samples on the board")
    before = condition(link)
    run = prove(link, board, releases, package.id, Timing(wish.runs, WARM_UP, wish.threads), control)
    over = within_budget(run, package.p95_ms, package.peak_bytes) if run.proved else ""
    run = replace(run, proved=run.proved and not over, reason=over or run.reason)
    run = doubts(link, run, before)
    if run.proved:
        text = f"{PROVED} by {run.samples} goldens, off by {run.worst:.4%}, p50 {run.p50:.3f} ms"
    else:
        text = f"{'failed' if run.ran or run.command else 'not proved'}: {run.reason}"
    releases.verb("prove", package.id, " ".join(text.split()))
    return run


def _switch(releases: Releases, run: BoardRun, wish: Wish, active: str) -> tuple[bool, str]:
    """(switched, why not). A wrong or failing model raises; one that could not be run waits."""
    if not run.proved and run.command:
        raise refused(run, run.reason, active)
    if not run.proved and not wish.allow_unproved:
        return False, f"not proved: {run.reason}. It waits on the board; allow an unproved release to use it."
    releases.verb("activate", run.release)
    if wish.confirm:
        releases.verb("confirm", run.release)
    return True, "" if run.proved else f"active but not proved: {run.reason}"
