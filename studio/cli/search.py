"""`sensitivity` and `search`: what each layer costs, and budgets in, recipe out."""

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
from studio.metrics import Sensitivity
from studio.search.budgets import Budgets, parse_bytes, parse_latency
from studio.search.front import Found, Visited


@click.command()
@options.MODEL
@options.DATA
@options.PREPROCESSING
@options.LIMIT
@options.TARGET
@verb
def sensitivity(
    shell: Shell,
    model: Path,
    data: Path | None,
    preprocessing: Path | None,
    limit: int,
    target: str | None,
) -> Report:
    """What each setting of each group alone does to accuracy; what was measured before is not repeated."""
    options.open_model(shell, model, data, preprocessing, limit)
    options.demand_data(shell, model)
    if target is not None:
        shell.session.set_target(target)
    done = shell.session.sensitivity(shell.control())
    return Report({"rows": [_row_json(each) for each in done.value]}, _rows_text(done.value), done.notes)


@click.command()
@options.MODEL
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
@options.DATA
@options.PREPROCESSING
@options.LIMIT
@options.TARGET
@click.option("--max-drop", type=click.FloatRange(min=0), help="Points of accuracy that may be lost.")
@click.option("--max-bytes", metavar="SIZE", help="The largest file allowed: 500kB, 1.5MB.")
@click.option("--max-latency", metavar="TIME", help="The longest time at batch 1 on this computer: 3ms.")
@verb
def search(
    shell: Shell,
    model: Path,
    out: Path,
    data: Path | None,
    preprocessing: Path | None,
    limit: int,
    target: str | None,
    max_drop: float | None,
    max_bytes: str | None,
    max_latency: str | None,
) -> Report:
    """Find the recipe that meets the budgets, and write its file to OUT; the nearest where none does."""
    refuse_same(model, out)
    budgets = Budgets(
        max_drop,
        None if max_bytes is None else parse_bytes(max_bytes),
        None if max_latency is None else parse_latency(max_latency),
    )
    if budgets == Budgets():
        raise RecipeError("search", "no budget was given", "Add --max-drop 1.0 or --max-bytes 500kB.")
    options.open_model(shell, model, data, preprocessing, limit)
    options.demand_data(shell, model)
    if target is not None:
        shell.session.set_target(target)
    found = shell.session.search(budgets, shell.control().part(0.0, 0.9))
    written = shell.session.export(out, shell.control().part(0.9, 1.0)).value
    told = {"out": written.path, "bytes": written.bytes, "sha256": written.sha256, **_found_json(found.value)}
    return Report(told, _found_text(written.path, found.value), found.notes)


def _row_json(row: Sensitivity) -> dict[str, Any]:
    return {
        "group": row.group,
        "setting": row.setting,
        "difference": row.difference.value,
        "interval": interval(row.difference),
        "n": row.difference.n,
        "sqnr_db": row.sqnr_db,
        "bytes": row.bytes,
    }


def _rows_text(rows: tuple[Sensitivity, ...]) -> str:
    cells = [
        [
            row.group,
            row.setting,
            tables.figure(row.difference, signed=True),
            "–" if row.sqnr_db is None else f"{row.sqnr_db:.1f}",
            tables.count(row.bytes),
        ]
        for row in rows
    ]
    return tables.table(("group", "setting", "difference", "SQNR dB", "bytes"), cells)


def _found_json(found: Found) -> dict[str, Any]:
    return {
        "met": not found.fails,
        "fails": [{"budget": each.budget, "limit": each.limit, "by": each.by} for each in found.fails],
        "recipe": msgspec.to_builtins(found.best.recipe),
        "accuracy": {
            "metric": found.best.comparison.metric,
            "original": found.best.comparison.original.value,
            "optimized": found.best.comparison.optimized.value,
            "difference": found.best.comparison.difference.value,
            "interval": interval(found.best.comparison.difference),
            "n": found.best.comparison.difference.n,
        },
        "latency_ms": found.best.latency,
        "front": [_dot_json(each) for each in found.front],
        "visited": [_dot_json(each) for each in found.visited],
    }


def _dot_json(each: Visited) -> dict[str, Any]:
    return {
        "label": each.label,
        "bytes": each.artifact.bytes,
        "difference": each.comparison.difference.value,
        "latency_ms": each.latency,
    }


def _found_text(path: str, found: Found) -> str:
    rows = [
        [
            each.label,
            tables.count(each.artifact.bytes),
            tables.figure(each.comparison.difference, signed=True),
        ]
        for each in found.front
    ]
    items = [
        ("written", path),
        ("size", tables.size(found.best.artifact.bytes)),
        (found.best.comparison.metric, tables.figure(found.best.comparison.optimized)),
        ("difference", tables.figure(found.best.comparison.difference, signed=True)),
        ("budgets", "; ".join(str(each) for each in found.fails) or "all met"),
        ("measured", f"{len(found.visited)} recipes"),
    ]
    front = tables.table(("no other beats", "bytes", "difference"), rows)
    return f"{front}\n\n{tables.pairs(items)}"
