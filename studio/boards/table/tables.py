"""The table of one net on one board: what is known already, and the rest measured there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studio.boards.book import Board
from studio.boards.links.link import Link
from studio.boards.release.package import Package
from studio.boards.release.protocol import Releases
from studio.boards.runtime.tools import look, tool_for
from studio.boards.table.measure import measure
from studio.boards.table.store import Store, digest_of, lines, wanted
from studio.control import Control
from studio.errors import BoardError
from studio.graph.model import Facts
from studio.layer_times import LayerTable
from studio.target import Target


@dataclass(frozen=True, slots=True)
class Net:
    """A net to be timed: its facts, the target it is built for, and whole files of it to run as well."""

    facts: Facts
    target: Target
    wholes: tuple[Package, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """A table without its whole nets, and their ms; `fresh` of the `shapes` were measured now."""

    table: LayerTable
    wholes: tuple[float, ...]
    fresh: int
    shapes: int


@dataclass(frozen=True, slots=True)
class Options:
    """`again` measures what is known as well; `sign` is the key that signs, as in `Boards.push`."""

    threads: int = 1
    again: bool = False
    sign: Path | None = None


def take(
    link: Link, board: Board, releases: Releases, net: Net, store: Store, options: Options, control: Control
) -> Taken:
    """Measure the shapes that are not known of such boards, and the whole nets."""
    releases.prepare(control)
    tool = tool_for(link, board, releases, control.part(0.0, 0.2))
    if tool.missing:
        raise BoardError(f"board {board.name}", tool.missing, "Layers can be timed where a model runs.")
    digest = digest_of(look(link, board.name), tool.runtime, options.threads)
    known = {} if options.again else store.costs(digest)
    fresh = wanted(net.facts, net.target, known)
    rest = control.part(0.2, 1.0)
    measured = measure(link, releases, tool, fresh, net.wholes, options.threads, rest)
    if not measured.invalid:  # what is kept is used again, without the doubt
        store.keep_costs(digest, measured.costs)
    known |= measured.costs
    table = LayerTable(
        board=board.name,
        model=net.facts.key,
        runtime=tool.runtime,
        threads=options.threads,
        layers=lines(net.facts, net.target, known),
        invalid=measured.invalid,
    )
    return Taken(table, measured.wholes, len(fresh), len(wanted(net.facts, net.target, {})))
