"""`board releases`, `status`, `activate`, `confirm`, `rollback`, `delete`: what is on a board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from studio.cli import tables
from studio.cli.board.asking import NAME, asking
from studio.cli.shell import Report, Shell, verb

if TYPE_CHECKING:
    from studio.boards.report import BoardStatus, Release

RELEASE = click.argument("release")


@click.command()
@NAME
@verb
def status(shell: Shell, name: str) -> Report:
    """What is on the board and what is active."""
    return _status(asking(shell).session.board_status(name))


@click.command()
@NAME
@verb
def releases(shell: Shell, name: str) -> Report:
    """The releases on the board: when, by whom, how accurate, how proved."""
    return _status(asking(shell).session.board_status(name))


@click.command()
@NAME
@RELEASE
@verb
def activate(shell: Shell, name: str, release: str) -> Report:
    """Switch, unconfirmed, to a release that was proved there."""
    return _status(asking(shell).session.board_activate(name, release).value)


@click.command()
@NAME
@verb
def confirm(shell: Shell, name: str) -> Report:
    """The active release is good: it stays."""
    return _status(asking(shell).session.board_confirm(name).value)


@click.command()
@NAME
@verb
def rollback(shell: Shell, name: str) -> Report:
    """Go back to the last confirmed release."""
    return _status(asking(shell).session.board_rollback(name).value)


@click.command()
@NAME
@RELEASE
@verb
def delete(shell: Shell, name: str, release: str) -> Report:
    """Delete a release from the board; the active and the previous one are refused."""
    return _status(asking(shell).session.board_delete(name, release).value)


def _status(found: BoardStatus) -> Report:
    told: dict[str, Any] = msgspec.to_builtins(found)
    head = tables.pairs(
        [
            ("board", found.board),
            ("state", found.state),
            ("active", found.active or "–"),
            ("previous", found.previous or "–"),
        ]
    )
    titles = ("release", "pushed", "accuracy", "KiB", "proof", "state")
    rows = [_row(each) for each in found.releases]
    return Report(told, f"{head}\n\n{tables.table(titles, rows)}" if rows else head)


def _row(each: Release) -> list[str]:
    accuracy = each.meta.get("accuracy")
    shown = f"{accuracy:.2f} %" if isinstance(accuracy, int | float) else "–"
    return [each.id, each.pushed or f"push {each.number}", shown, f"{each.kib:,}", each.proof, each.state]


COMMANDS = (status, releases, activate, confirm, rollback, delete)
