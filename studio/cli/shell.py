"""What every verb of the command line shares: `--json`, progress on stderr, exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, NoReturn

import click
import msgspec

from studio.cli.progress import ProgressLine
from studio.control import Cancelled, Control
from studio.errors import StudioError
from studio.session.session import Session
from studio.workbench.local import tuned

INTERRUPTED = 130
STOPPED = {"kind": "interrupted", "thing": "command", "cause": "it was interrupted", "fix": "Run it again."}


@dataclass(frozen=True, slots=True)
class Report:
    """What a verb has to say: `data` for `--json`, `text` for people."""

    data: dict[str, Any]
    text: str
    notes: tuple[str, ...] = field(default=())


class Shell:
    """Handed to every verb: the session, and where progress goes."""

    def __init__(self) -> None:
        self.session = Session(tuned())
        self.progress = ProgressLine(sys.stderr)

    def control(self) -> Control:
        """A control that draws a progress line on a terminal, and nothing elsewhere."""
        return Control(self.progress.show)

    def note(self, text: str) -> None:
        """A line for the user, on stderr."""
        self.progress.clear()
        click.echo(text, err=True)

    def close(self) -> None:
        self.progress.clear()
        self.session.close()


def verb(function: Callable[..., Report]) -> Callable[..., None]:
    """A click callback from a function that returns a Report: adds `--json` and the exit codes.

    0 done; 1 a `StudioError`, on stderr or, with `--json`, as one object on stdout; 130 interrupted.
    """

    @click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, nothing else there.")
    @wraps(function)
    def run(*args: Any, as_json: bool, **options: Any) -> None:
        try:
            with closing(Shell()) as shell:
                report = function(shell, *args, **options)
        except StudioError as error:
            _fail(error, as_json)
        except (KeyboardInterrupt, Cancelled):
            click.echo("Interrupted; nothing was half-written.", err=True)
            if as_json:
                click.echo(dumps({"error": STOPPED}))
            raise click.exceptions.Exit(INTERRUPTED) from None
        _tell(report, as_json)

    return run


def dumps(data: object) -> str:
    """One line of JSON; paths and frozen values included."""
    return msgspec.json.encode(data, enc_hook=str).decode()


def _tell(report: Report, as_json: bool) -> None:
    for note in report.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(dumps(report.data) if as_json else report.text)


def _fail(error: StudioError, as_json: bool) -> NoReturn:
    if as_json:
        told = {"kind": error.kind, "thing": error.thing, "cause": error.cause, "fix": error.fix}
        click.echo(dumps({"error": told}))
    else:
        click.echo(f"{error.thing}: {error.cause.rstrip('.')}.\n{error.fix}", err=True)
    raise click.exceptions.Exit(1)
