"""`search`: budgets in, recipe out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from studio.cli import options, tables
from studio.cli.models import interval
from studio.cli.optimize import refuse_same
from studio.cli.shell import Report, Shell, verb
from studio.errors import RecipeError
from studio.metrics import Comparison
from studio.recipe.text import parse_set
from studio.search.budgets import Budgets, Effort, parse_bytes, parse_latency
from studio.search.front import Found, Visited


@click.command()
@options.MODEL
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
@options.DATA
@options.PREPROCESSING
@options.LIMIT
@options.TARGET
@options.LOCKS
@click.option("--max-drop", type=click.FloatRange(min=0), help="Points of accuracy that may be lost.")
@click.option("--max-bytes", metavar="SIZE", help="The largest file allowed: 500kB, 1.5MB.")
@click.option("--max-latency", metavar="TIME[@BOARD]", help="The longest time at batch 1: 3ms, 3ms@pi.")
@click.option("--trials", type=click.IntRange(min=0), default=0, help="Files to breed beyond the solver's.")
@click.option("--minutes", type=click.FloatRange(min=0), default=0.0, help="Breed on until so long is over.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, help="Another seed, other children.")
@click.option("--holdout", is_flag=True, help="Choose on half of the samples, judge on the other half.")
@options.CLUSTER
@options.SIGN
@click.option("--front", is_flag=True, help="Print every recipe that no other beats.")
@verb
def search(
    shell: Shell,
    model: Path,
    out: Path,
    data: Path | None,
    preprocessing: Path | None,
    limit: int,
    target: str | None,
    locks: tuple[str, ...],
    max_drop: float | None,
    max_bytes: str | None,
    max_latency: str | None,
    trials: int,
    minutes: float,
    seed: int,
    holdout: bool,
    cluster: str,
    sign: Path | None,
    front: bool,
) -> Report:
    """Find the recipe that meets the budgets, and write its file to OUT; the nearest where none does.

    What is measured on the way is kept: a search that was interrupted goes on when run again.
    """
    refuse_same(model, out)
    budgets = _budgets(max_drop, max_bytes, max_latency)
    effort = Effort(trials, minutes, seed, holdout, cluster)
    if not budgets.limited and not effort.genetic:
        raise RecipeError("search", "no budget was given", "Add --max-drop 1.0 or --max-bytes 500kB.")
    options.open_model(shell, model, data, preprocessing, limit)
    options.demand_data(shell, model)
    if target is not None:
        shell.session.set_target(target)
    if locks:
        shell.session.lock_rules([parse_set(each, "--lock") for each in locks])
    found = shell.session.search(
        budgets, shell.control().part(0.0, 0.9), effort=effort, sign=options.key(sign)
    )
    written = shell.session.export(out, shell.control().part(0.9, 1.0)).value
    told = {"out": written.path, "bytes": written.bytes, "sha256": written.sha256, **_found_json(found.value)}
    text = _found_text(written.path, found.value)
    return Report(told, f"{_front_text(found.value)}\n\n{text}" if front else text, found.notes)


def _budgets(max_drop: float | None, max_bytes: str | None, max_latency: str | None) -> Budgets:
    size = None if max_bytes is None else parse_bytes(max_bytes)
    if max_latency is None:
        return Budgets(max_drop, size)
    return Budgets(max_drop, size, *parse_latency(max_latency))


def _found_json(found: Found) -> dict[str, Any]:
    return {
        "met": not found.fails,
        "fails": [{"budget": each.budget, "limit": each.limit, "by": each.by} for each in found.fails],
        "recipe": msgspec.to_builtins(found.best.recipe),
        "accuracy": _accuracy_json(found.judged or found.best.comparison),
        "chosen_on": _accuracy_json(found.best.comparison),
        "held_out": found.judged is not None,
        "latency_ms": found.best.latency,
        "latency_source": found.best.timed,
        "front": [_dot_json(each) for each in found.steady],
        "visited": [_dot_json(each) for each in found.visited],
    }


def _accuracy_json(found: Comparison) -> dict[str, Any]:
    return {
        "metric": found.metric,
        "original": found.original.value,
        "optimized": found.optimized.value,
        "difference": found.difference.value,
        "interval": interval(found.difference),
        "n": found.difference.n,
    }


def _dot_json(each: Visited) -> dict[str, Any]:
    return {
        "label": each.label,
        "bytes": each.artifact.bytes,
        "sha256": each.artifact.sha256,
        "difference": each.comparison.difference.value,
        "interval": interval(each.comparison.difference),
        "n": each.comparison.difference.n,
        "latency_ms": each.latency,
        "latency_source": each.timed,
        "recipe": msgspec.to_builtins(each.recipe),
    }


def _front_text(found: Found) -> str:
    rows = [
        [
            each.label,
            tables.count(each.artifact.bytes),
            tables.figure(each.comparison.difference, signed=True),
            _time_text(each),
        ]
        for each in found.steady
    ]
    return tables.table(("no other beats", "bytes", "difference", "latency"), rows)


def _time_text(each: Visited) -> str:
    return "–" if each.latency is None else f"{each.latency:.3f} ms, {each.timed}"


def _found_text(path: str, found: Found) -> str:
    told = found.judged or found.best.comparison
    items = [
        ("written", path),
        ("size", tables.size(found.best.artifact.bytes)),
        (told.metric, tables.figure(told.optimized)),
        ("difference", tables.figure(told.difference, signed=True)),
        ("latency", _time_text(found.best)),
        ("budgets", "; ".join(str(each) for each in found.fails) or "all met"),
        ("measured", f"{len(found.visited)} recipes, {len(found.steady)} of them beaten by no other"),
    ]
    return tables.pairs(items)
