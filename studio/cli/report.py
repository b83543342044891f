"""`report`: what a recipe did, as one page that needs nothing else, and as PDF where Qt is there."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from studio.cli import options
from studio.cli.shell import Report, Shell, verb
from studio.errors import ExportError


@click.command()
@options.MODEL
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The HTML page to write.")
@click.option("--pdf", type=click.Path(path_type=Path), help="The same page as PDF; needs Qt.")
@options.DATA
@options.PREPROCESSING
@options.LIMIT
@options.RECIPE
@options.PRESET
@options.SETS
@options.LOCKS
@options.TARGET
@click.option("--latency", is_flag=True, help="Time both files here, in turns.")
@verb
def report(
    shell: Shell,
    model: Path,
    out: Path,
    pdf: Path | None,
    data: Path | None,
    preprocessing: Path | None,
    limit: int,
    recipe: Path | None,
    preset: str | None,
    sets: tuple[str, ...],
    locks: tuple[str, ...],
    target: str | None,
    latency: bool,
) -> Report:
    """Measure what a recipe (or a project) comes to, and write a report of it to OUT."""
    if pdf is not None:
        demand_qt()
    _, asked = options.the_recipe(shell, recipe, preset, sets, target, locks)  # a wrong one is told first
    options.open_model(shell, model, data, preprocessing, limit)
    if asked or target is not None:
        shell.session.apply_recipe(options.the_recipe(shell, recipe, preset, sets, target, locks)[0])
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
    command = [sys.executable, "-m", "studio.gui.pdf", str(page), str(pdf)]
    around = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, env=around, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = next(reversed(done.stderr.strip().splitlines()), f"exit status {done.returncode}")
        raise ExportError(str(pdf), last, "The HTML page is written; print it from a browser.")
