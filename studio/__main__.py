"""`trimtab`: a verb runs on the command line; a file, or nothing, opens the window."""

from __future__ import annotations

import multiprocessing
import sys

VERBS = frozenset({"inspect", "optimize", "evaluate", "compare", "board", "demo"})


def main(arguments: list[str] | None = None) -> int:
    """Run with `arguments` (default: the process's own); returns the exit status."""
    multiprocessing.freeze_support()
    given = sys.argv[1:] if arguments is None else arguments
    if given and (given[0] in VERBS or given[0].startswith("-")):
        return _command_line(given)
    if len(given) > 1:
        sys.stderr.write(f"trimtab: one file at a time, or a verb: {', '.join(sorted(VERBS))}\n")
        return 2
    from studio.gui.app import run

    return run(given[0] if given else None)


def _command_line(given: list[str]) -> int:
    import click

    try:
        from studio.cli.main import cli

        status: object = cli.main(given, prog_name="trimtab", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    sys.exit(main())
