"""`board bench` and `board profile`: a release timed, and the layers of a model one by one."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from studio.cli import options, tables
from studio.cli.board.asking import NAME, asking
from studio.cli.board.told import run_text
from studio.cli.shell import Report, Shell, verb
from studio.metrics import Figure
from studio.predict import LayerTimes
from studio.session.profiling import Profiled


@click.command()
@NAME
@click.option("--runs", type=click.IntRange(min=1), default=500, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--release", default="", help="Default: the active one.")
@click.option("--seconds", type=click.FloatRange(min=0), default=0.0, help="End after that long.")
@click.option("--cores", default="", help="Cores to run on, e.g. 0,1.")
@click.option("--profile", is_flag=True, help="Also tell which operators take the time.")
@verb
def bench(
    shell: Shell,
    name: str,
    runs: int,
    threads: int,
    release: str,
    seconds: float,
    cores: str,
    profile: bool,
) -> Report:
    """Time a release on the board; goes on there when the connection drops, and is picked up again."""
    session, control = asking(shell).session, shell.control()
    run = session.board_bench(name, control, runs, threads, release, seconds, cores, profile).value
    return Report(msgspec.to_builtins(run), run_text(run))


@click.command()
@NAME
@options.MODEL
@options.DATA
@options.PREPROCESSING
@options.RECIPE
@options.PRESET
@options.SETS
@options.TARGET
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--again", is_flag=True, help="Time shapes that are known already as well.")
@options.SIGN
@verb
def profile(
    shell: Shell,
    name: str,
    model: Path,
    data: Path | None,
    preprocessing: Path | None,
    recipe: Path | None,
    preset: str | None,
    sets: tuple[str, ...],
    target: str | None,
    threads: int,
    again: bool,
    sign: Path | None,
) -> Report:
    """Time the layers of MODEL on the board NAME one by one, as float and at 8 bits.

    What was timed on such a board before is not timed again. Then the latency of any recipe is told.
    """
    session = asking(shell).session
    options.open_model(shell, model, data, preprocessing, 0)
    session.apply_recipe(options.the_recipe(shell, recipe, preset, sets, target)[0])
    done = session.board_profile(name, shell.control(), threads, again, options.key(sign)).value
    likely, rows = session.estimate_latency(name), session.layer_times(name)
    return Report(_profile_json(done, likely, rows), _profile_text(done, likely, rows))


def _profile_json(done: Profiled, likely: Figure | None, rows: tuple[LayerTimes, ...]) -> dict[str, object]:
    table = done.table
    return {
        "board": table.board,
        "runtime": table.runtime,
        "threads": table.threads,
        "shapes": done.shapes,
        "measured_now": done.fresh,
        "float_ms": table.float_ms,
        "int8_ms": table.int8_ms,
        "invalid": table.invalid,
        "predicted": None if likely is None else msgspec.to_builtins(likely),
        "layers": [
            {"layer": row.layer, "float_ms": row.float_ms, "int8_ms": row.int8_ms, "int8_loses": row.loses}
            for row in rows
        ],
    }


def _profile_text(done: Profiled, likely: Figure | None, rows: tuple[LayerTimes, ...]) -> str:
    cells = [
        [row.layer, _ms(row.float_ms), _ms(row.int8_ms), "int8 is slower" if row.loses else ""]
        for row in rows
    ]
    table = done.table
    lines = [
        ("board", f"{table.board}, {table.runtime}, {table.threads} threads"),
        ("measured now", f"{done.fresh} of {done.shapes} shapes, the rest was known"),
        ("whole net", f"{_ms(table.float_ms)} ms, at 8 bits {_ms(table.int8_ms)} ms"),
        ("this recipe", "–" if likely is None else f"{likely.value:.3f} ms, {likely.source}"),
    ]
    if table.invalid:
        lines.append(("beware", table.invalid))
    return f"{tables.table(('layer', 'float ms', 'int8 ms', ''), cells)}\n\n{tables.pairs(lines)}"


def _ms(value: float | None) -> str:
    return f"{value:.4f}" if value else "–"


COMMANDS = (bench, profile)
