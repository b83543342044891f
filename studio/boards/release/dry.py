"""A push that is only thought through: bytes that would go, and what the board cannot have."""

from __future__ import annotations

from dataclasses import dataclass

from studio.boards.book import Board
from studio.boards.links.link import Link
from studio.boards.release.delta import forecast
from studio.boards.release.package import Package
from studio.boards.release.protocol import Releases
from studio.boards.runtime.compile import NAME, runner_for
from studio.boards.runtime.native import bundle_of, cannot, cpu_of, own_library
from studio.boards.runtime.python import find_python
from studio.boards.runtime.tools import look
from studio.boards.runtime.wheels import LIBRARY, library_for
from studio.control import Control


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a push would do: `fresh` of `bytes` would be sent, the rest is taken from `sources` on the board.

    `shared` are bytes of runner and library that would go once, `runner` is what would run the model, and
    `cannot` says in plain words why nothing could.
    """

    board: str
    release: str
    bytes: int
    fresh: int
    sources: tuple[str, ...]
    shared: int
    runner: str
    cannot: str


def dry_run(link: Link, board: Board, package: Package, control: Control) -> DryRun:
    """Ask the board; nothing is written there. A wheel for its CPU is fetched to this computer if need be."""
    releases = Releases(link, board)
    seen = forecast(releases, package)
    shared, runner, why = _runner(link, board, releases, control)
    return DryRun(board.name, package.id, seen.bytes, seen.fresh, seen.sources, shared, runner, why)


def _runner(link: Link, board: Board, releases: Releases, control: Control) -> tuple[int, str, str]:
    """(bytes to share, what runs it, why nothing can)."""
    missing = ""
    if board.runner != "native":
        python = find_python(link, board)
        if python.onnxruntime:
            return 0, f"Python {python.version}, onnxruntime {python.onnxruntime}", ""
        missing = python.missing
    if board.runner == "python":
        return 0, "", missing
    facts, own = look(link, board.name), own_library(link)
    why = cannot(facts, own)
    if why:
        return 0, "", "; ".join(filter(None, (missing, why)))
    files = {NAME: runner_for(cpu_of(facts))}
    if not own:
        files[LIBRARY] = library_for(cpu_of(facts), control)
    wanted = [path for name, path in files.items() if not releases.shared(bundle_of(name, path).id)]
    return sum(path.stat().st_size for path in wanted), "C runner", ""
