"""Pull: a release comes back from the board as the file that was pushed, or not at all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from studio.boards.release.package import META, MODEL, sha256_of
from studio.boards.release.protocol import Releases, manifest_digest
from studio.boards.release.upload import SUMS
from studio.boards.report import Pulled, Release
from studio.control import Control
from studio.errors import BoardError
from studio.files import replacing, write_atomic


@dataclass(frozen=True, slots=True)
class _Places:
    """Where things go: the model at `model`, what lies with it beside it under the same stem."""

    model: Path

    @property
    def meta(self) -> Path:
        return self.model.with_suffix(".release.json")

    @property
    def recipe(self) -> Path:
        return self.model.with_suffix(".recipe.json")


def pull(releases: Releases, wanted: str, out: Path, replace: bool, control: Control) -> Pulled:
    """See `Boards.pull`."""
    control.step(0.0, "asking what is there")
    places = _Places(out)
    release = _chosen(releases, wanted)
    sums = _sums(releases, release.id, control)
    meta = _small(releases, release.id, META, sums, control)
    recipe = _recipe(meta)
    beside = {places.meta: meta} | ({places.recipe: recipe} if recipe else {})
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in beside.items()}
    _spare({out: sums[MODEL], **digests}, replace)
    _model(releases, release, sums[MODEL], places.model, control.part(0.05, 1.0))
    for path, content in beside.items():
        _write(path, content)
    control.step(1.0, "pulled")
    return Pulled(
        releases.board,
        release.id,
        str(out),
        out.stat().st_size,
        sums[MODEL],
        str(places.meta),
        str(places.recipe) if recipe else "",
        release.proof,
    )


def _chosen(releases: Releases, wanted: str) -> Release:
    status = releases.status()
    name = wanted or status.active
    if not name:
        cause = "nothing is active there" if status.releases else "there is no release on it"
        raise BoardError(f"board {releases.board}", cause, "Push one first, or name one that is there.")
    found = next((one for one in status.releases if one.id == name), None)
    if found is None:
        raise BoardError(f"release {name}", f"not on {releases.board}", "List what is there first.")
    return found


def _sums(releases: Releases, release: str, control: Control) -> dict[str, str]:
    """The manifest: digest by name. Its own digest is part of the release's name."""
    content = bytearray()
    releases.read(release, SUMS, content.extend, control)
    text = content.decode("utf-8", "replace")
    lines = (line.split("  ", 1) for line in text.splitlines())
    sums = {pair[1]: pair[0] for pair in lines if len(pair) == 2}
    if not release.endswith(f"-{manifest_digest(text)[:12]}") or not {MODEL, META} <= sums.keys():
        raise _altered(releases.board, release, SUMS)
    return sums


def _small(releases: Releases, release: str, name: str, sums: dict[str, str], control: Control) -> bytes:
    content = bytearray()
    releases.read(release, name, content.extend, control)
    if hashlib.sha256(content).hexdigest() != sums[name]:
        raise _altered(releases.board, release, name)
    return bytes(content)


def _recipe(meta: bytes) -> bytes:
    """The recipe that the release was built by; empty where another program made it."""
    try:
        said = msgspec.json.decode(meta, type=dict[str, object]).get("recipe")
    except msgspec.DecodeError:
        return b""
    return said.encode() if isinstance(said, str) else b""


def _spare(wanted: dict[Path, str], replace: bool) -> None:
    """Never write over a file that says something else, unless that is wished for."""
    taken = [path for path, digest in wanted.items() if path.exists() and sha256_of(path) != digest]
    if taken and not replace:
        raise BoardError(str(taken[0]), "it is there already and holds other bytes", "Choose another name.")


def _model(releases: Releases, release: Release, wanted: str, out: Path, control: Control) -> None:
    """Stream the model into place; the old file stays where anything is wrong."""
    digest = hashlib.sha256()

    def moved(count: int) -> None:
        share = count / max(release.kib << 10, count, 1)
        control.step(share, f"{MODEL}: {count / 1e6:.1f} MB")

    try:
        with replacing(out) as file:
            releases.read(release.id, MODEL, _Writer(file, digest, out), control, moved)
            if digest.hexdigest() != wanted:
                raise _altered(releases.board, release.id, MODEL)
    except OSError as error:
        raise _unwritten(out, error) from error


class _Writer:
    """Writes and hashes; what the disk refuses is told of the file here, not of the board."""

    def __init__(self, file: BinaryIO, digest: hashlib._Hash, path: Path) -> None:
        self._file, self._digest, self._path = file, digest, path

    def __call__(self, block: bytes) -> None:
        self._digest.update(block)
        try:
            self._file.write(block)
        except OSError as error:
            raise _unwritten(self._path, error) from error


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomic(path, content)
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> BoardError:
    return BoardError(str(path), f"cannot be written ({error.strerror})", "Choose another place.")


def _altered(board: str, release: str, name: str) -> BoardError:
    return BoardError(
        f"release {release} on {board}",
        f"{name} there is not what was pushed; nothing was kept",
        "Push it again, and check the board's storage.",
    )
