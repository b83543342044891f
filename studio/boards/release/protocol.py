"""The PC's side of the release protocol: each verb of `resources/board/release.sh` once."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import replace
from pathlib import Path

import msgspec

from studio.boards.book import Board
from studio.boards.links.faults import failed
from studio.boards.links.link import Link, Moved, Piece, Reply, Take
from studio.boards.release.package import sha256_of
from studio.boards.release.signing import Signer, signer
from studio.boards.report import BoardStatus, Release
from studio.control import Control
from studio.errors import BoardError
from studio.paths import resource

SCRIPT, JOBS, SERVE, RUNNER = "release.sh", "jobs.sh", "serve.sh", "run_goldens.py"
SCRIPTS = ("upload.sh", SCRIPT, JOBS, SERVE, RUNNER)  # What is read by another comes before it.
PROVED = "proved"


class Releases:
    """Releases under the board's folder. Every call raises `BoardError` with the board's own reason.

    `sign` signs the manifests of what is sent, for boards that want signatures; by default the board's own
    `sign_key` does, where it has one.
    """

    def __init__(self, link: Link, board: Board, sign: Signer | None = None) -> None:
        self._link, self._board = link, board
        self.sign = sign or (signer(Path(board.sign_key)) if board.sign_key else None)
        self.board = board.name
        self.folder = board.folder.removeprefix("~/")
        self._root = shlex.quote(self.folder)

    def prepare(self, control: Control) -> None:
        """Put the board-side scripts there, make the folders, test that they can be written, heal."""
        for name in SCRIPTS:
            self._install(name, control)
        self.verb("init")

    def verb(self, name: str, *arguments: str) -> str:
        """Run a verb of the script; its output without the last line end."""
        reply = self._link.run(self._command(name, *arguments), timeout=600.0)
        return self._checked(name, reply).strip()

    def put(
        self, release: str, name: str, piece: Piece | bytes, at: int, control: Control, moved: Moved | None
    ) -> int:
        """Append bytes to a file that is `at` bytes long; gives its length, all of it durable."""
        coming = piece.length if isinstance(piece, Piece) else len(piece)
        command = self._command("put", release, name, str(at), str(coming))
        return self._count("put", self._checked("put", self._link.feed(command, piece, control, moved)))

    def read(self, release: str, name: str, take: Take, control: Control, moved: Moved | None = None) -> None:
        """Hand the bytes of a file of a release to `take`, unverified; see `Link.fetch`."""
        command = f"cat {self._root}/releases/{shlex.quote(release)}/{shlex.quote(name)}"
        reply = self._link.fetch(command, take, control, moved)
        self._checked(f"reading {name} of {release}", reply)

    def size(self, release: str, name: str) -> int:
        """Bytes of a file that are on the board already, right or wrong."""
        return self._count("size", self.verb("size", release, name))

    @property
    def installed(self) -> bool:
        """Whether the board-side script is there: nothing was ever pushed where it is not."""
        reply = self._link.run(f"LC_ALL=C ls {self._root}/bin/{SCRIPT}")
        if reply.status and "ermission denied" in reply.err:
            thing, cause = f"board {self._board.name}", f"{self.folder} may not be read with this login"
            raise BoardError(thing, cause, "Log in as the user who pushed, or mend the folder's permissions.")
        return reply.status == 0

    def shared(self, name: str) -> bool:
        """Whether a shared file is there, whole."""
        return self._link.run(f"test -f {self._root}/shared/{shlex.quote(name)}/.complete").status == 0

    def status(self) -> BoardStatus:
        """Works on a board that has never been pushed to as well."""
        return _status(self._board.name, self.verb("status") if self.installed else "")

    def activate(self, release: str, allow_unproved: bool) -> BoardStatus:
        """Switch, unconfirmed, to a release that the golden check passed on this board."""
        self._proof(release, allow_unproved)
        self.verb("activate", release)
        return self.status()

    def confirm(self) -> BoardStatus:
        """Confirm what is active now."""
        active = self.status().active
        if not active:
            raise BoardError(f"board {self._board.name}", "nothing is active there", "Push a release first.")
        self.verb("confirm", active)
        return self.status()

    def rollback(self) -> BoardStatus:
        """Back to the last confirmed release; it must be there."""
        if not self.status().previous:
            raise BoardError(
                f"board {self._board.name}",
                "there is no confirmed release to go back to",
                "Activate one from the list, or push another.",
            )
        self.verb("rollback")
        return self.status()

    def delete(self, release: str) -> BoardStatus:
        """Delete one release or one interrupted upload."""
        status = self.status()
        if release in (status.active, status.previous):
            use = "active" if release == status.active else "what a rollback goes back to"
            raise BoardError(f"release {release}", f"it is {use}", "Switch to another release first.")
        self.verb("delete", release)
        return self.status()

    def require(self, signers: str, control: Control) -> None:
        """From now on accept only what these allowed_signers lines allow ("" = anything)."""
        self.prepare(control)
        self._checked("signers", self._link.feed(self._command("signers"), signers.encode(), control))

    def tidy(self, keep: int) -> None:
        """Delete the oldest releases beyond `keep`; the PC decides, as the board's clock may be wrong."""
        status = self.status()
        idle = [one for one in status.releases if one.id not in (status.active, status.previous)]
        idle.sort(key=lambda one: one.number, reverse=True)
        for release in idle[max(keep, 0) :]:
            self.verb("delete", release.id)

    def _proof(self, release: str, allow_unproved: bool) -> None:
        there = {one.id: one for one in self.status().releases}
        if release not in there:
            raise BoardError(f"release {release}", f"not on {self._board.name}", "List what is there first.")
        proof = there[release].proof
        if not proof.startswith(PROVED + " ") and not allow_unproved:
            cause = f"it was not proved on {self._board.name} ({proof or 'never run there'})"
            raise BoardError(f"release {release}", cause, "Push it again, or allow an unproved release.")

    def _command(self, verb: str, *arguments: str) -> str:
        words = " ".join(shlex.quote(word) for word in (verb, *arguments))
        return f"sh {self._root}/bin/{SCRIPT} {self._root} {words}"

    def _checked(self, verb: str, reply: Reply) -> str:
        if reply.status:
            raise failed(self._board.name, verb, reply)
        return reply.out

    def _count(self, verb: str, said: str) -> int:
        if not said.strip().isdecimal():
            cause = f"{verb}: it was ended there, perhaps by another push of the same release"
            raise BoardError(f"board {self._board.name}", cause, "Push again; it resumes.")
        return int(said)

    def _install(self, name: str, control: Control) -> None:
        path = resource("board", name)
        wanted = sha256_of(path)
        there = f"{self._root}/bin/{name}"
        have = self._link.run(f"sha256sum < {there}").out.split()
        if have[:1] == [wanted]:
            return
        fresh = f"{there}.new.$$"
        command = (
            f"umask 077; mkdir -p {self._root}/bin || exit 73; cat > {fresh} || exit 73; "
            f'set -- $(sha256sum < {fresh}); [ "$1" = {wanted} ] || {{ rm -f {fresh}; exit 74; }}; '
            f"mv -f {fresh} {there} || exit 73; sync"
        )
        # In a `sh` of its own: the login shell may be any shell.
        reply = self._link.feed(f"sh -c {shlex.quote(command)}", path.read_bytes(), control)
        self._checked(f"writing {self.folder}/bin/{name}", reply)


def manifest_digest(manifest: str) -> str:
    """sha256 of the manifest's text."""
    return hashlib.sha256(manifest.encode()).hexdigest()


def _status(board: str, text: str) -> BoardStatus:
    said = {"active": "-", "previous": "-", "tries": "0", "failed": "-"}
    releases: list[Release] = []
    unfinished: list[str] = []
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == "release":
            releases.append(_release(value))
        elif key == "meta" and releases:
            releases[-1] = replace(releases[-1], meta=_meta(value))
        elif key == "pushed" and releases:
            releases[-1] = replace(releases[-1], pushed=value.strip())
        elif key == "unfinished":
            unfinished.append(value)
        elif key in said:
            said[key] = value
    active, previous, failed_one = (_id(said[key]) for key in ("active", "previous", "failed"))
    states = {failed_one: "failed", previous: "previous", active: "active"}
    state = "empty" if not active else "confirmed" if said["tries"] == "ok" else "unconfirmed"
    tries = int(said["tries"]) if said["tries"].isdecimal() else 0
    listed = tuple(
        replace(one, state=states.get(one.id, "")) for one in sorted(releases, key=lambda one: -one.number)
    )
    return BoardStatus(board, state, active, previous, tries, failed_one, listed, tuple(unfinished))


def _release(text: str) -> Release:
    words = [*text.split(" ", 3), "", "", ""]
    number, kib = (int(word) if word.isdecimal() else 0 for word in words[1:3])
    return Release(words[0], number, kib, words[3].strip())


def _meta(text: str) -> dict[str, object]:
    """What `meta.json` holds; nothing where another program wrote it otherwise."""
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        return {}


def _id(text: str) -> str:
    return "" if text == "-" else text
