"""`settings`: what the engine may take, for the window and every later command."""

from __future__ import annotations

import click
import msgspec

from studio.cli import tables
from studio.cli.shell import Report, Shell, verb
from studio.search.budgets import parse_bytes
from studio.workbench import tuning


@click.command()
@click.option("--cut-memory", metavar="SIZE", help="Memory for activations kept ahead of a change; 0: none.")
@click.option("--tight", type=click.FloatRange(min=0), help="Stop at ± so many points; 0: run all samples.")
@click.option("--threads", type=click.IntRange(min=0), help="Threads inside one op; 0: all cores but one.")
@verb
def settings(shell: Shell, cut_memory: str | None, tight: float | None, threads: int | None) -> Report:
    """Show what the engine may take, or change it; the window reads it when it starts."""
    asked = {
        "cut_memory": None if cut_memory is None else parse_bytes(cut_memory),
        "tight": tight,
        "threads": threads,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    found = msgspec.structs.replace(tuning.read(), **given)
    if given:
        tuning.write(found)
    return Report(msgspec.structs.asdict(found), _text(found))


def _text(found: tuning.Tuning) -> str:
    return tables.pairs(
        [
            ("memory for cuts", tables.size(found.cut_memory) if found.cut_memory else "none: whole runs"),
            ("tight enough", f"± {found.tight:g} points" if found.tight else "never: all samples are run"),
            ("threads", str(found.threads) if found.threads else "all cores but one"),
        ]
    )
