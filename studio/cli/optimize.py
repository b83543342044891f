"""`optimize`: a model and a recipe in, a proven file out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from studio.artifact import Artifact, LayerOutcome
from studio.cli import tables
from studio.cli.models import interval
from studio.cli.shell import Report, Shell, verb
from studio.cli.wish import Wish, wishing
from studio.errors import ExportError, RecipeError
from studio.graph.model import Facts
from studio.metrics import Comparison
from studio.recipe.settings import FLOAT
from studio.target import load
from studio.workbench.api import Written

NO_DATA = "without --data no accuracy was measured, and activations stay float"


NOTHING_DONE = "no layer was changed: nothing was asked for that any of them can have"
NO_LAYERS = "no layer was changed: the model has none that can be (those inside If, Loop or functions stay)"


@click.command()
@wishing
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
@verb
def optimize(shell: Shell, wish: Wish, out: Path) -> Report:
    """Build what a recipe asks for, measure it where there is data, and write it to OUT."""
    began = time.monotonic()
    refuse_same(wish.model, out)
    if not wish.check(shell):
        fix = "Add --preset int8, --recipe FILE or --set '*:bits=8'."
        raise RecipeError("optimize", "nothing was asked for", fix)
    wish.open(shell)
    wish.apply(shell)
    measured = shell.session.measure(shell.control().part(0.0, 0.9)).value
    written = shell.session.export(out, shell.control().part(0.9, 1.0)).value
    facts, seconds = shell.session.facts, time.monotonic() - began
    found = measured.comparison
    told = optimized_json(written, facts, measured.artifact, found, seconds)
    notes = (*measured.artifact.notes, *filter(None, [found.note if found else NO_DATA]))
    if not any(_touched(each) for each in measured.artifact.layers):
        notes = (*notes, NOTHING_DONE if facts.layers else NO_LAYERS)
    return Report(told, optimized_text(written, facts, measured.artifact, found), notes)


def _touched(layer: LayerOutcome) -> bool:
    return layer.bits < FLOAT or layer.sparsity > 0


def refuse_same(model: Path, out: Path) -> None:
    """Never write over the input; raises `ExportError`."""
    if out.exists() and model.exists() and out.samefile(model):
        raise ExportError(str(out), "it is the input model itself", "Choose another path with --out.")


def optimized_json(
    written: Written, facts: Facts, artifact: Artifact, found: Comparison | None, seconds: float
) -> dict[str, Any]:
    """The keys that scripts rely on, with the accuracy where it was measured."""
    told: dict[str, Any] = {
        "out": written.path,
        "bytes": written.bytes,
        "sha256": written.sha256,
        "target": artifact.target,
        "original_bytes": facts.file_bytes,
        "layers": [
            {
                "name": each.layer,
                "bits": each.bits,
                "activations": each.activations,
                "sparsity": each.sparsity,
                "structure": each.structure,
                "bytes": each.bytes,
                "refused": [str(refusal) for refusal in each.refused],
            }
            for each in artifact.layers
        ],
        "notes": artifact.notes,
        "seconds": round(seconds, 3),
    }
    if found is not None:
        told["accuracy"] = {
            "metric": found.metric,
            "original": found.original.value,
            "optimized": found.optimized.value,
            "difference": found.difference.value,
            "interval": interval(found.difference),
            "n": found.difference.n,
        }
    return told


def optimized_text(written: Written, facts: Facts, artifact: Artifact, found: Comparison | None) -> str:
    """The per-layer table and what came of it."""
    rows = [
        [
            each.layer,
            str(each.bits),
            str(each.activations),
            f"{each.sparsity:.0%}" if each.sparsity else "–",
            each.structure if each.sparsity else "–",
            tables.count(each.bytes),
            "; ".join(str(refusal) for refusal in each.refused),
        ]
        for each in artifact.layers
    ]
    share = written.bytes / max(facts.file_bytes, 1)
    items = [
        ("written", written.path),
        ("size", f"{tables.size(facts.file_bytes)} → {tables.size(written.bytes)} ({share:.1%})"),
    ]
    if found is not None:
        items.append((found.metric, tables.figure(found.optimized)))
        items.append(("difference", tables.figure(found.difference, signed=True)))
    items.append(("target", load(artifact.target).title))
    items.append(("sha256", written.sha256))
    columns = ("layer", "bits", "activations", "sparsity", "structure", "bytes", "refused")
    return f"{tables.table(columns, rows)}\n\n{tables.pairs(items)}"
