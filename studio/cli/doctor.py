"""`doctor`: what the accuracy was lost to, and what wins it back."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from studio.cli import options, tables
from studio.cli.models import interval
from studio.cli.shell import Report, Shell, verb
from studio.cli.wish import Wish, wishing
from studio.doctor import words
from studio.doctor.findings import Diagnosis, Evidence, Finding
from studio.errors import RecipeError
from studio.metrics import Comparison, Figure
from studio.project.changes import Measured
from studio.recipe import text


@click.command()
@wishing
@click.option("--apply", "applied", is_flag=True, help="Apply the best fix and measure it.")
@verb
def doctor(shell: Shell, wish: Wish, applied: bool) -> Report:
    """Say what a recipe loses accuracy to: causes with evidence, and fixes that were built and measured."""
    if not wish.check(shell):
        fix = "Add --preset int8, --recipe FILE or --set '*:bits=8'."
        raise RecipeError("doctor", "no recipe was given", fix)
    wish.open(shell)
    options.demand_data(shell, wish.model)
    wish.apply(shell)
    found = shell.session.diagnose(shell.control().part(0.0, 0.8)).value
    best = next((each for each in found.findings if each.fix.applicable), None) if applied else None
    if best is None:
        return Report(_json(found), _text(found))
    measured = shell.session.apply_fix(best, shell.control().part(0.8, 1.0)).value
    recipe_after = msgspec.to_builtins(shell.session.recipe)
    told = {**_json(found), "applied": {**_measured_json(measured), "recipe": recipe_after}}
    after = text.dumps(shell.session.recipe)
    return Report(told, f"{_text(found)}\n\n{_measured_text(best, measured)}\n\n{after}".rstrip())


def _json(found: Diagnosis) -> dict[str, Any]:
    return {
        "comparison": _comparison_json(found.comparison),
        "evidence": [_evidence_json(each) for each in found.evidence],
        "tried": found.tried,
        "findings": [_finding_json(each) for each in found.findings],
    }


def _comparison_json(found: Comparison) -> dict[str, Any]:
    return {
        "metric": found.metric,
        "original": found.original.value,
        "optimized": found.optimized.value,
        **_figure_json("difference", found.difference),
    }


def _finding_json(each: Finding) -> dict[str, Any]:
    return {
        "cause": each.cause,
        "text": words.cause(each),
        "layers": list(each.where),
        "evidence": [_evidence_json(figure) for figure in each.evidence],
        "fix": words.fix(each),
        "applicable": each.fix.applicable,
        **({"adjust": msgspec.to_builtins(each.fix.data.adjust)} if each.fix.data else {}),
        "bytes": each.bytes,
        **(_figure_json("gain", each.gain) if each.gain is not None else {"gain": None}),
    }


def _figure_json(name: str, figure: Figure) -> dict[str, Any]:
    return {name: figure.value, "interval": interval(figure), "n": figure.n}


def _evidence_json(each: Evidence) -> dict[str, Any]:
    return {"name": each.name, "value": each.value, "unit": each.unit}


def _measured_json(measured: Measured) -> dict[str, Any]:
    assert measured.comparison is not None  # the doctor has data
    return {
        "sha256": measured.artifact.sha256,
        "bytes": measured.artifact.bytes,
        **_comparison_json(measured.comparison),
    }


def _text(found: Diagnosis) -> str:
    lost = tables.figure(found.comparison.difference, signed=True)
    vital = ", ".join(words.evidence(each) for each in found.evidence)
    if not found.findings:
        said = f"none of {found.tried} fixes wins it back" if found.tried else "nothing is wrong"
        return f"{found.comparison.metric} {lost}: {said}\n{vital}".rstrip()
    told = [_finding_text(at, each) for at, each in enumerate(found.findings, 1)]
    return "\n".join([f"{found.comparison.metric} {lost}", vital, *told])


def _finding_text(at: int, each: Finding) -> str:
    where = f" ({', '.join(each.where[:3])}{', …' if len(each.where) > 3 else ''})" if each.where else ""
    gain = "no usual fix helps" if each.gain is None else tables.figure(each.gain, signed=True)
    seen = ", ".join(words.evidence(figure) for figure in each.evidence)
    return (
        f"\n{at}. {words.cause(each)}{where}\n   {seen}\n   {words.fix(each)}: {gain}, {each.bytes:+,} bytes"
    )


def _measured_text(best: Finding, measured: Measured) -> str:
    assert measured.comparison is not None  # the doctor has data
    items = [
        ("applied", words.fix(best)),
        ("size", tables.size(measured.artifact.bytes)),
        (measured.comparison.metric, tables.figure(measured.comparison.optimized)),
        ("difference", tables.figure(measured.comparison.difference, signed=True)),
    ]
    return tables.pairs(items)
