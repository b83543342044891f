"""`report`: what a recipe did, as one page that needs nothing else, and as PDF where Qt is there."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from studio.cli.shell import Report, Shell, verb
from studio.cli.wish import Wish, wishing
from studio.errors import ExportError


@click.command()
@wishing
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The HTML page to write.")
@click.option("--pdf", type=click.Path(path_type=Path), help="The same page as PDF; needs Qt.")
@click.option("--latency", is_flag=True, help="Time both files here, in turns.")
@verb
def report(shell: Shell, wish: Wish, out: Path, pdf: Path | None, latency: bool) -> Report:
    """Measure what a recipe (or a project) comes to, and write a report of it to OUT."""
    if pdf is not None:
        demand_qt()
    asked = wish.check(shell)
    wish.open(shell)
    if asked or wish.target is not None:
        wish.apply(shell)
    if latency:
        shell.session.latency(shell.control().part(0.0, 0.3))
    page = shell.session.report(out, shell.control().part(0.3, 1.0)).value
    if pdf is not None:
        print_page(page, pdf)
    told = {"out": str(page), **({"pdf": str(pdf)} if pdf else {})}
    return Report(told, "\n".join(f"written  {each}" for each in told.values()))


def demand_qt() -> None:
    """Raises `ExportError` where Qt is not installed."""
    if find_spec("PySide6") is None:
        fix = "Install trimtab[gui], or print the HTML page from a browser."
        raise ExportError("PDF", "it is drawn by Qt, which is not installed", fix)


def print_page(page: Path, pdf: Path) -> None:
    """Draw the page in a process of its own: Qt stays out of this one. Raises `ExportError`."""
    command = [sys.executable, "-m", "studio.gui.keep.pdf", str(page), str(pdf)]
    around = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, env=around, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = next(reversed(done.stderr.strip().splitlines()), f"exit status {done.returncode}")
        raise ExportError(str(pdf), last, "The HTML page is written; print it from a browser.")
