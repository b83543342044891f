"""Sending only what changed: the board puts the new file together from old releases and new bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from studio.boards.release.blocks import Run, fresh_bytes, plan, recalled, remember
from studio.boards.release.package import MODEL, Package
from studio.boards.release.protocol import Releases
from studio.boards.release.upload import send_file, upload
from studio.control import Control
from studio.errors import BoardError
from studio.paths import cache_dir

PLAN, NEW = "plan", "new"
WORTH = 1 << 20
# Above this share of new bytes, building costs the board more than it saves the wire.
MOST = 0.9


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a push will send: `fresh` of `bytes`; the rest is taken from `sources`, releases on the board."""

    bytes: int
    fresh: int
    sources: tuple[str, ...] = ()


def forecast(releases: Releases, package: Package) -> Forecast:
    """How many bytes `deliver` would send now; nothing is sent."""
    if not releases.installed:
        return Forecast(package.bytes, package.bytes)
    there = releases.status()
    if package.id in {one.id for one in there.releases}:
        return Forecast(package.bytes, 0, (package.id,))
    runs = _runs(releases, package)
    rest = package.bytes - package.files[MODEL].stat().st_size
    if runs:
        return Forecast(package.bytes, rest + _fresh(runs), tuple({run.source for run in runs} - {""}))
    return Forecast(package.bytes, package.bytes)


def deliver(releases: Releases, package: Package, control: Control) -> int:
    """Bring a package into `incoming`, by the shortest way; gives the bytes that went over the wire."""
    runs = _runs(releases, package)
    sent = 0
    if runs:
        control.step(0.0, f"sending {_fresh(runs):,} of {package.bytes:,} bytes, the rest is there")
        with contextlib.suppress(BoardError):
            sent = _build(releases, package, runs, control.part(0.0, 0.9))
    # Whatever is missing or wrong now goes the long way.
    return sent + upload(releases, package, control.part(0.9, 1.0) if sent else control)


def kept(package: Package) -> None:
    """Remember what the board has now, for the next push."""
    remember(package.id, package.files[MODEL])


def _runs(releases: Releases, package: Package) -> tuple[Run, ...]:
    """The plan, where one is worth while; else none."""
    size = package.files[MODEL].stat().st_size
    if size < WORTH or releases.size(package.id, MODEL):
        return ()
    there = tuple(one.id for one in releases.status().releases if recalled(one.id))
    if not there:
        return ()
    runs = plan(package.files[MODEL], there)
    return runs if _fresh(runs) <= MOST * size else ()


def _fresh(runs: tuple[Run, ...]) -> int:
    return sum(run.length for run in runs if not run.source)


def _build(releases: Releases, package: Package, runs: tuple[Run, ...], control: Control) -> int:
    """Send plan and new bytes and have the file built; gives the bytes that went over the wire."""
    name = f"{package.id}.delta"
    text = "".join(f"{run.source or '-'} {run.offset + 1} {run.length}\n" for run in runs)
    with _written(package.files[MODEL], runs) as path:
        bundle = Package(name, {NEW: path}, {}, "", 0.0, 0)
        releases.verb("space", str(package.bytes // 1024 + path.stat().st_size // 1024 + 64))
        sent = send_file(releases, bundle, NEW, path.stat().st_size, control.part(0.0, 0.8))
    releases.verb("reset", name, PLAN)
    releases.put(name, PLAN, text.encode(), 0, control, None)
    control.step(0.8, "putting the file together on the board")
    releases.verb("splice", package.id, MODEL)
    return sent + len(text)


@contextlib.contextmanager
def _written(model: Path, runs: tuple[Run, ...]) -> Iterator[Path]:
    with TemporaryDirectory(dir=cache_dir()) as folder:
        path = Path(folder, NEW)
        with path.open("wb") as out:
            for block in fresh_bytes(model, runs):
                out.write(block)
        yield path
