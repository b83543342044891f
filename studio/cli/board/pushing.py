"""`board push`: to one board, to several, to a group, or only thought through."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from studio.cli import options, tables
from studio.cli.board.asking import asking
from studio.cli.board.told import pushed_json, pushed_text
from studio.cli.shell import Report, Shell, verb
from studio.errors import BoardError
from studio.session.pushing import Terms

if TYPE_CHECKING:
    from studio.boards.release.dry import DryRun
    from studio.boards.release.fleet import Outcome


@click.command()
@click.argument("names", nargs=-1)
@options.MODEL
@options.DATA
@options.PREPROCESSING
@click.option("--group", "groups", multiple=True, help="Every board of this group; may repeat.")
@click.option("--confirm", is_flag=True, help="Confirm at once when the golden check passed there.")
@click.option("--allow-unproved", is_flag=True, help="Activate although it could not be run there.")
@click.option("--p95", type=click.FloatRange(min=0), default=0.0, help="Budget: 95th percentile in ms.")
@click.option("--peak-mb", type=click.FloatRange(min=0), default=0.0, help="Budget: peak memory in MB.")
@options.SIGN
@click.option("--dry-run", is_flag=True, help="Only say what would be sent, and what a board cannot have.")
@verb
def push(
    shell: Shell,
    names: tuple[str, ...],
    model: Path,
    data: Path | None,
    preprocessing: Path | None,
    groups: tuple[str, ...],
    confirm: bool,
    allow_unproved: bool,
    p95: float,
    peak_mb: float,
    sign: Path | None,
    dry_run: bool,
) -> Report:
    """Push the file MODEL to the boards NAMES as it is, prove it there with golden samples, switch to it.

    Of several boards the first goes ahead; the others follow only if it holds.
    """
    boards = _boards(shell, names, groups)
    terms = Terms(confirm, allow_unproved, p95, round(peak_mb * 1e6), options.key(sign))
    options.open_model(asking(shell), model, data, preprocessing, 0)
    session, control = shell.session, shell.control()
    if dry_run:
        seen = session.dry_run(boards, control, terms, opened=True)
        return Report({"boards": msgspec.to_builtins(seen)}, "\n\n".join(map(_dry_text, seen)))
    if len(boards) == 1 and not groups:
        done = session.push_opened(boards[0], control, terms).value
        return Report(pushed_json(done), pushed_text(done))
    outcomes = session.push_all(boards, control, lambda one: shell.note(_line(one)), terms, opened=True).value
    _demand_all(outcomes)
    return Report({"boards": msgspec.to_builtins(outcomes)}, _outcomes_text(outcomes))


def _boards(shell: Shell, names: tuple[str, ...], groups: tuple[str, ...]) -> tuple[str, ...]:
    """Every board once, in the order given: the first is the one that goes ahead."""
    members = [board.name for group in groups for board in shell.session.board_group(group)]
    found = tuple(dict.fromkeys((*names, *members)))
    if not found:
        raise click.UsageError("No board was named: name boards before the model, or give --group.")
    return found


def _demand_all(outcomes: tuple[Outcome, ...]) -> None:
    bad = [each for each in outcomes if each.state == "failed"]
    if bad:
        others = ", ".join(f"{each.board}: {each.state}" for each in outcomes if each not in bad)
        cause = f"{bad[0].why} ({others})" if others else bad[0].why
        raise BoardError(f"push to {bad[0].board}", cause, "Mend that board, then push again; it resumes.")


def _outcomes_text(outcomes: tuple[Outcome, ...]) -> str:
    rows = [
        [each.board, each.state, f"{each.pushed.run.p50:.3f} ms" if each.pushed else "–", each.why]
        for each in outcomes
    ]
    return tables.table(("board", "state", "p50", "why"), rows)


def _line(one: Outcome) -> str:
    return f"{one.board}: {one.state}{f' ({one.why})' if one.why else ''}"


def _dry_text(seen: DryRun) -> str:
    kept = f", the rest is there ({', '.join(seen.sources)})" if seen.sources else ""
    lines = [
        ("board", seen.board),
        ("release", seen.release),
        ("would send", f"{tables.size(seen.fresh)} of {tables.size(seen.bytes)}{kept}"),
        ("once", f"{tables.size(seen.shared)} for runner and library" if seen.shared else "nothing more"),
        ("runs with", seen.runner or f"nothing: {seen.cannot}"),
    ]
    return tables.pairs(lines)


COMMANDS = (push,)
