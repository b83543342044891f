"""`trimtab plugins`: what is installed, and what failed to load."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from studio.cli.shell import Report, Shell, verb
from studio.cli.tables import table
from studio.plugin.registry import Row, installed


@click.command()
@verb
def plugins(shell: Shell) -> Report:
    """Installed plug-ins, and why one did not load."""
    rows = installed()
    return Report({"plugins": [_json(row) for row in rows]}, _text(rows))


def _json(row: Row) -> dict[str, Any]:
    title = row.plugin.title if row.plugin else ""
    return {k: v for k, v in asdict(row).items() if k != "plugin"} | {"title": title}


def _text(rows: tuple[Row, ...]) -> str:
    if not rows:
        return "No plug-ins are installed."
    cells = [(row.name, f"{row.package} {row.version}", row.error or "loaded") for row in rows]
    return table(("plug-in", "package", "state"), cells)
