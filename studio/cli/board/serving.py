"""`board serve`, `stop`, `logs`: the active release kept running on a board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from studio.cli import tables
from studio.cli.board.asking import NAME, asking
from studio.cli.shell import Report, Shell, verb

if TYPE_CHECKING:
    from studio.boards.runs.serving import Serving


@click.command()
@NAME
@click.option("--state", is_flag=True, help="Only tell how it does.")
@verb
def serve(shell: Shell, name: str, state: bool) -> Report:
    """Keep the active release running on the board, and whatever becomes active after it."""
    session = asking(shell).session
    return _told(session.board_serving(name) if state else session.board_serve(name, shell.control()).value)


@click.command()
@NAME
@verb
def stop(shell: Shell, name: str) -> Report:
    """End what `serve` began."""
    return _told(asking(shell).session.board_stop_serving(name).value)


@click.command()
@NAME
@click.option("--lines", type=click.IntRange(min=1), default=50, show_default=True)
@verb
def logs(shell: Shell, name: str, lines: int) -> Report:
    """The last lines of what is or was served there."""
    text = asking(shell).session.board_log(name, lines)
    return Report({"board": name, "log": text.splitlines()}, text.rstrip() or "Nothing was written.")


def _told(found: Serving) -> Report:
    told: dict[str, Any] = msgspec.to_builtins(found)
    return Report(told, tables.pairs([(key, str(value)) for key, value in told.items()]))


COMMANDS = (serve, stop, logs)
