"""What the board commands share: the board's name, and secrets asked for on the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from studio.cli.shell import Shell

if TYPE_CHECKING:
    from studio.boards.links.asking import Answer, Question

NAME = click.argument("name")


def asking(shell: Shell) -> Shell:
    """The shell, its session asking on this terminal."""
    shell.session.ask = ask
    return shell


def ask(question: Question) -> Answer | None:
    """Ask on the terminal, where there is one; the answer is never shown nor stored."""
    from studio.boards.links.asking import Answer

    if not sys.stdin.isatty():
        return None
    again = "Wrong. " if question.again else ""
    text: str = click.prompt(
        f"{again}{question.kind.capitalize()} of {question.of}", hide_input=True, err=True
    )
    return Answer(text)
