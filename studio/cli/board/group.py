"""The group of commands; each file of this room adds its own."""

from __future__ import annotations

import click

from studio.cli.board import known, pulling, pushing, releases, serving, timing


@click.group()
def board() -> None:
    """Boards: add, probe, push to, time, confirm, roll back."""


for each in (known, pushing, pulling, timing, releases, serving):
    for command in each.COMMANDS:
        board.add_command(command)
