"""From values to one self-contained HTML page."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePath

import msgspec
from markupsafe import Markup

from studio.artifact import LayerOutcome
from studio.data.reference import DataRef
from studio.graph.model import LayerFact
from studio.metrics import Comparison, Latency
from studio.paths import resource
from studio.recipe import text as recipe_text
from studio.recipe.settings import Settings
from studio.report import charts, words
from studio.report.values import ReportData

TEMPLATE = "report.html.j2"


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One line of the layer table."""

    fact: LayerFact
    outcome: LayerOutcome | None
    sqnr_db: float | None
    note: str

    @property
    def share(self) -> float:
        """Bytes now ÷ bytes before, at most 1."""
        if self.outcome is None or not self.fact.bytes:
            return 1.0
        return min(self.outcome.bytes / self.fact.bytes, 1.0)


def render(data: ReportData) -> str:
    """The report as HTML: no script, nothing loaded from elsewhere, every value escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(resource("report")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template(TEMPLATE).render(
        data=data,
        words=words,
        layers=layer_rows(data),
        latencies=latencies(data),
        commands=data.commands or commands(data),
        recipe=recipe_text.dumps(data.recipe),
        settings=_settings_text,
        charts=_charts(data),
    )


def layer_rows(data: ReportData) -> tuple[LayerRow, ...]:
    """One row per layer of the original, in graph order."""
    outcomes = {outcome.layer: outcome for outcome in data.artifact.layers}
    drift = {each.layer: each for each in data.drift}
    rows = []
    for fact in data.model.layers:
        found = drift.get(fact.name)
        value, note = (found.sqnr_db, found.note) if found else (None, "")
        rows.append(LayerRow(fact, outcomes.get(fact.name), value, note))
    return tuple(rows)


def latencies(data: ReportData) -> tuple[tuple[str, Latency], ...]:
    """Every latency there is with the name of what was timed: here first, then the boards."""
    here = (data.pair.original, data.pair.optimized) if data.pair else data.latencies
    names = ("Original", "Optimized") if len(here) > 1 else ("Optimized",)
    named = [*zip(names, here, strict=False)]
    for run in data.boards:
        found = run.latency()
        if found is not None:
            named.append(("Optimized", found))
    return tuple(named)


def commands(data: ReportData) -> tuple[str, ...]:
    """Shell lines that make and judge the same file on the same samples, read in the same way; the recipe is
    saved as `recipe.json` first.
    """
    model, out = shlex.quote(data.model.path), shlex.quote(data.out or "optimized.onnx")
    lines, given = _data_words(data.data.ref) if data.data else ([], "")
    lines += [f"trimtab optimize {model} --out {out} --recipe recipe.json{given}"]
    if given:
        lines.append(f"trimtab compare {model} {out}{given}")
    lines += [f"trimtab board bench {shlex.quote(run.board)}" for run in data.boards]
    name = shlex.quote(PurePath(data.out or "optimized.onnx").name)
    return (*lines, f"sha256sum {name}  # {data.artifact.sha256}")


def _data_words(ref: DataRef) -> tuple[list[str], str]:
    """What must be written first, and the options that name the samples."""
    given = f" --data {shlex.quote(ref.path)}"
    if ref.limit:
        given += f" --limit {ref.limit}"
    if ref.preprocessing is None:
        return [], given
    said = shlex.quote(msgspec.json.encode(ref.preprocessing).decode())
    return [f"printf %s {said} > preprocessing.json"], f"{given} --preprocessing preprocessing.json"


def _charts(data: ReportData) -> dict[str, Markup]:
    model, artifact = data.model, data.artifact
    found = {
        "size": charts.bars(
            (
                charts.Bar("Original", model.file_bytes, words.size(model.file_bytes), "before"),
                charts.Bar("Optimized", artifact.bytes, words.size(artifact.bytes)),
            ),
            "Size of the files",
        )
    }
    if data.comparison:
        found |= _accuracy(data.comparison)
    timed = latencies(data)
    if timed:
        found["latency"] = charts.bars([_bar(name, each) for name, each in timed], "Median latency")
    if any(each.sqnr_db is not None for each in data.drift):
        points = [(each.layer, each.sqnr_db) for each in data.drift]
        found["drift"] = charts.depth(points, "Signal to noise ratio per layer", "dB")
    if data.sensitivity:
        found["sensitivity"] = _sensitivity(data)
    return found


def _accuracy(found: Comparison) -> dict[str, Markup]:
    pairs = (("Original", found.original, "before"), ("Optimized", found.optimized, "after"))
    rows = [
        charts.Whisker(name, each.value, _end(each.low), _end(each.high), words.figure(each), tone)
        for name, each, tone in pairs
    ]
    change = found.difference
    row = charts.Whisker(
        "Difference", change.value, _end(change.low), _end(change.high), words.figure(change)
    )
    return {
        "accuracy": charts.whiskers(rows, f"{found.metric} with 95 % intervals, in %"),
        "difference": charts.whiskers(
            [row], "Paired difference with its 95 % interval, in points", zero=True
        ),
    }


def _sensitivity(data: ReportData) -> Markup:
    ranked = sorted(data.sensitivity, key=lambda each: each.difference.value)[:24]
    rows = [
        charts.Whisker(
            f"{each.group} {each.setting}",
            each.difference.value,
            _end(each.difference.low),
            _end(each.difference.high),
            words.figure(each.difference),
        )
        for each in ranked
    ]
    return charts.whiskers(rows, "Effect of one setting on one group, in points", zero=True)


def _bar(name: str, found: Latency) -> charts.Bar:
    tone = "before" if name == "Original" else "after"
    where = "" if found.source == "measured here" else f", {found.source.removeprefix('measured ')}"
    return charts.Bar(f"{name}{where}", found.p50, words.milliseconds(found.p50), tone)


def _end(value: float | None) -> float:
    return float("nan") if value is None else value


def _settings_text(settings: Settings) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.given().items()) or "as in the original"
