"""`trimtab`: a verb runs on the command line; a file, or nothing, opens the window."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

NO_DISPLAY = """trimtab: the window needs a display; there is none (DISPLAY and WAYLAND_DISPLAY are not set).
Use the verbs instead (trimtab --help), or `trimtab demo --headless`.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run with `arguments` (default: the process's own); returns the exit status."""
    multiprocessing.freeze_support()
    given = sys.argv[1:] if arguments is None else arguments
    if given and not _names_a_file(given[0]):
        return _command_line(given)
    if len(given) > 1:
        sys.stderr.write("trimtab: the window opens one file at a time; trimtab --help shows the verbs\n")
        return 2
    if not _display():
        sys.stderr.write(NO_DISPLAY)
        return 1
    from studio.gui.app import run

    return run(given[0] if given else None)


def _names_a_file(word: str) -> bool:
    """A word with a dot or a separator is a path, and `sample` the shipped model; the rest are verbs."""
    return word == "sample" or (not word.startswith("-") and ("." in word or os.sep in word))


def _display() -> bool:
    asked = os.environ.get("QT_QPA_PLATFORM", "")
    if asked or not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _command_line(given: list[str]) -> int:
    import click

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # ignored under nohup: leave it so
        signal.signal(signal.SIGINT, _interrupt)
    try:
        from studio.cli.main import cli

        status: object = cli.main(given, prog_name="trimtab", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        if "--json" in given:
            _tell_usage(error.format_message())
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    return status if isinstance(status, int) else 0


class Interrupted(KeyboardInterrupt):
    """Ctrl-C. Python ends by the signal, not by the status we return, where a plain
    KeyboardInterrupt once left an `exec` of text (dataclasses, named tuples: any import); not this one.
    """


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted


def _tell_usage(cause: str) -> None:
    from studio.cli.shell import dumps

    told = {"kind": "usage", "thing": "command line", "cause": cause, "fix": "Add --help to see the options."}
    sys.stdout.write(dumps({"error": told}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
