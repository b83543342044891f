"""`trimtab targets`: what a file can be built for."""

from __future__ import annotations

from dataclasses import asdict

import click

from studio.cli.shell import Report, Shell, verb
from studio.cli.tables import table


@click.command()
@verb
def targets(shell: Shell) -> Report:
    """What --target takes: this computer, boards that were probed, and the shipped targets."""
    found = shell.session.targets()
    cells = [(each.key, each.target, each.title) for each in found]
    return Report(
        {"targets": [asdict(each) for each in found]}, table(("--target", "builds for", "title"), cells)
    )
