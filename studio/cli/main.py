"""The command line: the verbs of the Session, typed."""

from __future__ import annotations

from importlib.metadata import version

import click

from studio.cli.board.group import board
from studio.cli.demo import demo
from studio.cli.diff import diff
from studio.cli.doctor import doctor
from studio.cli.layer import layer
from studio.cli.models import compare, evaluate, inspect_
from studio.cli.optimize import optimize
from studio.cli.plugins import plugins
from studio.cli.report import report
from studio.cli.search import search
from studio.cli.sensitivity import sensitivity
from studio.cli.settings import settings
from studio.cli.targets import targets

HELP = """Compress a trained network layer by layer and ship the measured file to your board.

`trimtab [FILE]` opens the window, with a model, a project or nothing.
"""


@click.group(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("trimtab"), prog_name="trimtab")
def cli() -> None:
    pass


for each in (
    inspect_,
    optimize,
    evaluate,
    compare,
    diff,
    layer,
    sensitivity,
    search,
    report,
    doctor,
    board,
    targets,
    plugins,
    settings,
    demo,
):
    cli.add_command(each)
