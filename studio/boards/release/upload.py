"""Upload of a release or a shared file: what is there already is kept, the rest goes in pieces."""

from __future__ import annotations

import hashlib
import time

from studio.boards.links.link import Piece
from studio.boards.release.package import Package
from studio.boards.release.protocol import Releases, manifest_digest
from studio.boards.release.signing import signed
from studio.control import Control
from studio.errors import BoardError

# A piece costs about 50 ms besides its bytes; within one, the board writes out every second.
PIECE = 1 << 30
SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"


def upload(releases: Releases, package: Package, control: Control) -> int:
    """Send what is missing of a package into `incoming`; gives the bytes that went over the wire."""
    missing = {name: package.files[name].stat().st_size for name in package.files}
    total = sum(missing.values())
    releases.verb("takeover", package.id)
    releases.verb("space", str(max(0, total - _there(releases, package)) // 1024 + 64))
    sent = done = 0
    for name, size in missing.items():
        part = control.part(done / max(total, 1), (done + size) / max(total, 1))
        sent += send_file(releases, package, name, size, part)
        done += size
    releases.verb("reset", package.id, SUMS)
    releases.put(package.id, SUMS, package.manifest.encode(), 0, control, None)
    if package.signature:
        releases.verb("reset", package.id, SIGNATURE)
        releases.put(package.id, SIGNATURE, package.signature.encode(), 0, control, None)
    return sent


def put_shared(releases: Releases, package: Package, control: Control) -> str:
    """Bring a package into the board's `shared` folder where it is not there yet; gives its folder there.

    Signed by the same key as the release that it is for: a board that wants signatures wants them here too.
    """
    if not releases.shared(package.id):
        upload(releases, signed(package, releases.sign), control)
        releases.verb("share", package.id, manifest_digest(package.manifest))
    return f"{releases.folder}/shared/{package.id}"


def _there(releases: Releases, package: Package) -> int:
    return sum(releases.size(package.id, name) for name in package.files)


def send_file(releases: Releases, package: Package, name: str, size: int, control: Control) -> int:
    """Send what is missing of one file, piece by piece; gives the bytes that went over the wire."""
    at = start = _resume_at(releases, package, name, size)
    if at == size == 0:
        return 0
    began = time.monotonic()
    while at < size:
        piece = Piece(package.files[name], at, min(PIECE, size - at))

        def moved(count: int, at: int = at) -> None:
            seconds = max(time.monotonic() - began, 1e-3)
            rate = (at + count - start) / seconds
            told = f"{name}: {(at + count) / 1e6:.1f} of {size / 1e6:.1f} MB, {rate / 1e6:.1f} MB/s"
            control.step((at + count) / size, told)

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
