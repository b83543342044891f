"""Push: upload, verify, prove on the board, only then switch; the old release runs on until that moment."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace

from studio.boards.book import Board
from studio.boards.link import Link, Piece
from studio.boards.package import Package
from studio.boards.proof import prove, refused, within_budget
from studio.boards.protocol import PROVED, Releases, manifest_digest
from studio.boards.report import BoardRun, Pushed
from studio.boards.trust import doubts
from studio.control import Control
from studio.errors import BoardError

# A piece costs about 50 ms besides its bytes; within one, the board writes out every second.
PIECE = 256 << 20
WORTH_ASKING = 32 << 20
WARM_UP = 5
SUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Wish:
    """How to push; see `Boards.push`."""

    confirm: bool
    allow_unproved: bool
    threads: int
    runs: int
    keep: int


def push(link: Link, board: Board, package: Package, wish: Wish, control: Control) -> Pushed:
    """See `Boards.push`."""
    start = time.monotonic()
    releases = Releases(link, board)
    control.step(0.0, f"preparing {board.name}")
    releases.prepare(control)
    before = releases.status()
    sent = 0
    if package.id not in {release.id for release in before.releases}:
        sent = _upload(releases, package, control.part(0.02, 0.7))
    control.step(0.7, "verifying on the board")
    releases.verb("commit", package.id, manifest_digest(package.manifest))
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


def _upload(releases: Releases, package: Package, control: Control) -> int:
    missing = {name: package.files[name].stat().st_size for name in package.files}
    total = sum(missing.values())
    releases.verb("takeover", package.id)
    releases.verb("space", str(max(0, total - _there(releases, package)) // 1024 + 64))
    sent = done = 0
    for name, size in missing.items():
        part = control.part(done / max(total, 1), (done + size) / max(total, 1))
        sent += _send_file(releases, package, name, size, part)
        done += size
    releases.verb("reset", package.id, SUMS)
    releases.put(package.id, SUMS, package.manifest.encode(), 0, control, None)
    return sent


def _there(releases: Releases, package: Package) -> int:
    return sum(releases.size(package.id, name) for name in package.files)


def _send_file(releases: Releases, package: Package, name: str, size: int, control: Control) -> int:
    """Send what is missing of one file, piece by piece; gives the bytes that went over the wire."""
    at = start = _resume_at(releases, package, name, size)
    if at == size == 0:
        return 0
    began = time.monotonic()
    while at < size:
        piece = Piece(package.files[name], at, min(PIECE, size - at))

        def moved(count: int, at: int = at) -> None:
            seconds = max(time.monotonic() - began, 1e-3)
            rate = (at + count - start) / seconds / 1e6
            control.step((at + count) / size, f"{name}: {at + count:,} of {size:,} bytes, {rate:.1f} MB/s")

        reached = releases.put(package.id, name, piece, at, control, moved)
        if reached != at + piece.length:
            raise BoardError(
                str(package.files[name]), "it changed while it was being sent", "Build it again, then push."
            )
        at = reached
    return size - start


def _resume_at(releases: Releases, package: Package, name: str, size: int) -> int:
    """How much of the file is there and right; anything else starts over."""
    have = releases.size(package.id, name)
    if have == 0:
        return 0
    if have <= size:
        local = _prefix_digest(package, name, have)
        if releases.verb("digest", package.id, name, str(have)) == local:
            return have
    releases.verb("reset", package.id, name)
    return 0


def _prefix_digest(package: Package, name: str, length: int) -> str:
    digest = hashlib.sha256()
    with package.files[name].open("rb") as file:
        while length > 0 and (block := file.read(min(length, 1 << 20))):
            digest.update(block)
            length -= len(block)
    return digest.hexdigest()


def _proved(
    link: Link, board: Board, releases: Releases, package: Package, wish: Wish, control: Control
) -> BoardRun:
    """Run the goldens from the release's folder and write down on the board what came out."""
    control.step(0.0, "running the golden samples on the board")
    run = prove(link, board, releases.folder, package.id, wish.runs, WARM_UP, wish.threads, control)
    over = within_budget(run, package.p95_ms, package.peak_bytes) if run.proved else ""
    run = replace(run, proved=run.proved and not over, reason=over or run.reason)
    run = doubts(link, run)
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
