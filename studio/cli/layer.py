"""`layer`: what became of one layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from studio.artifact import LayerOutcome
from studio.cli import options, tables
from studio.cli.shell import Report, Shell, verb
from studio.errors import RecipeError
from studio.metrics import ActivationView, WeightView

_BARS, _COLUMNS = " ▁▂▃▄▅▆▇█", 48


@click.command()
@options.MODEL
@click.argument("name")
@options.DATA
@options.PREPROCESSING
@options.LIMIT
@options.RECIPE
@options.PRESET
@options.SETS
@options.TARGET
@verb
def layer(
    shell: Shell,
    model: Path,
    name: str,
    data: Path | None,
    preprocessing: Path | None,
    limit: int,
    recipe: Path | None,
    preset: str | None,
    sets: tuple[str, ...],
    target: str | None,
) -> Report:
    """Weights and activations of the layer NAME before and after a recipe, with their grids."""
    options.the_recipe(shell, recipe, preset, sets, target)  # a wrong one is told before work begins
    options.open_model(shell, model, data, preprocessing, limit)
    session = shell.session
    if name not in session.facts.by_name:
        raise RecipeError(name, "the model has no such layer", f"`trimtab inspect {model}` lists them.")
    session.apply_recipe(options.the_recipe(shell, recipe, preset, sets, target)[0])
    made = session.build(shell.control().part(0.0, 0.4)).value
    weights = session.weights(name, shell.control().part(0.4, 0.7)).value
    given = None
    if session.job().data is not None:
        given = session.activations(name, shell.control().part(0.7, 1.0)).value
    outcome = next(each for each in made.layers if each.layer == name)
    return Report(_json(outcome, weights, given), _text(outcome, weights, given))


def _json(made: LayerOutcome, weights: WeightView, given: ActivationView | None) -> dict[str, Any]:
    parts = {"outcome": made, "weights": weights, "activations": given}
    return {name: msgspec.to_builtins(part) for name, part in parts.items()}


def _text(made: LayerOutcome, weights: WeightView, given: ActivationView | None) -> str:
    noise = "–" if weights.sqnr_db is None else f"{weights.sqnr_db:.1f} dB"
    lines = [
        ("layer", made.layer),
        ("stored", f"{made.storage}, {tables.size(made.bytes)}"),
        ("refused", "; ".join(map(str, made.refused)) or "–"),
        ("weight SQNR", noise),
        ("zeros", f"{weights.zeros:.1%}"),
        *_histogram("weights", weights.edges, weights.before, weights.after, weights.grid),
    ]
    if given is not None:
        lines += _histogram("activations", given.edges, given.before, given.after, given.grid)
        lines.append(("clipped", f"{given.clipped:.2%} of the original's, {given.samples} samples"))
    return tables.pairs(lines)


def _histogram(
    name: str, edges: Sequence[float], before: Sequence[int], after: Sequence[int], grid: Sequence[float]
) -> list[tuple[str, str]]:
    """Both histograms as rows of bars over the same axis."""
    most = max(*_columns(before), *_columns(after), 1)
    ends = f"{edges[0]:.3g} to {edges[-1]:.3g}"
    levels = f", {len(grid)} levels from {grid[0]:.3g} to {grid[-1]:.3g}" if grid else ""
    return [
        (name, ends + levels),
        ("  before", _bars(_columns(before), most)),
        ("  after", _bars(_columns(after), most)),
    ]


def _columns(counts: Sequence[int]) -> list[int]:
    each = max(len(counts) // _COLUMNS, 1)
    return [sum(counts[start : start + each]) for start in range(0, len(counts), each)]


def _bars(counts: Sequence[int], most: int) -> str:
    """The root of each count as a bar, so that thin tails are seen."""
    top = len(_BARS) - 1
    return "".join(_BARS[min(-int(-((count / most) ** 0.5 * top) // 1), top)] for count in counts)
