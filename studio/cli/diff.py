"""`diff`: what became of the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from studio.cli import options, tables
from studio.cli.shell import Report, Shell, verb
from studio.graph.differences import CHANGED, INSERTED, REMOVED, Differences
from studio.graph.model import Facts


@click.command()
@options.MODEL
@click.argument("optimized", type=click.Path(path_type=Path))
@verb
def diff(shell: Shell, model: Path, optimized: Path) -> Report:
    """Nodes that OPTIMIZED has removed from MODEL, inserted, or changed."""
    facts = shell.session.open(model, shell.control().part(0.0, 0.5)).value
    found = shell.session.differences(shell.control().part(0.5, 1.0), optimized).value
    return Report(_json(found), _text(facts, found))


def _json(found: Differences) -> dict[str, Any]:
    return {REMOVED: found.removed, INSERTED: found.inserted, CHANGED: found.changed}


def _text(original: Facts, found: Differences) -> str:
    counts = ((each, len(getattr(found, each))) for each in (REMOVED, INSERTED, CHANGED))
    head = tables.pairs([(each, str(count)) for each, count in counts])
    rows = [
        [mark, name, facts.nodes[facts.index_of[name]].op]
        for mark, facts in ((REMOVED, original), (INSERTED, found.optimized), (CHANGED, original))
        for name in getattr(found, mark)
    ]
    return f"{head}\n\n{tables.table(('what', 'node', 'op'), rows)}" if rows else head
