"""`inspect`, `evaluate` and `compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from studio.cli import options, tables
from studio.cli.shell import Report, Shell, verb
from studio.graph.model import Facts, LayerFact, TensorFact
from studio.metrics import Comparison, Detail, Figure, LayerDrift
from studio.workbench.api import Evaluation


@click.command("inspect")
@options.MODEL
@verb
def inspect_(shell: Shell, model: Path) -> Report:
    """Layers, groups, params, MACs, bytes, opset, inputs, outputs."""
    facts = shell.session.open(model, shell.control()).value
    return Report(facts_json(facts), _facts_text(facts), facts.notes)


@click.command()
@options.MODEL
@options.DATA
@options.PREPROCESSING
@options.LIMIT
@verb
def evaluate(shell: Shell, model: Path, data: Path | None, preprocessing: Path | None, limit: int) -> Report:
    """Run the model on a data set."""
    options.open_model(shell, model, data, preprocessing, limit)
    options.demand_data(shell, model)
    found = shell.session.evaluate(shell.control()).value
    return Report(_evaluation_json(found), _evaluation_text(model, found))


@click.command()
@options.MODEL
@click.argument("optimized", type=click.Path(path_type=Path))
@options.DATA
@options.PREPROCESSING
@options.LIMIT
@verb
def compare(
    shell: Shell, model: Path, optimized: Path, data: Path | None, preprocessing: Path | None, limit: int
) -> Report:
    """Hold OPTIMIZED against MODEL on the same samples, layer by layer."""
    options.open_model(shell, model, data, preprocessing, limit)
    options.demand_data(shell, model)
    found = shell.session.compare(optimized, shell.control().part(0.0, 0.7)).value
    drift = shell.session.drift(shell.control().part(0.7, 1.0), optimized).value
    return Report(_comparison_json(found, drift), _comparison_text(found, drift))


def facts_json(facts: Facts) -> dict[str, Any]:
    """The keys that scripts rely on, and the rest of what is known."""
    return {
        "name": facts.name,
        "path": facts.path,
        "format": facts.format,
        "key": facts.key,
        "opset": facts.opset,
        "ir_version": facts.ir_version,
        "producer": facts.producer,
        "inputs": [_tensor_json(each) for each in facts.inputs],
        "outputs": [_tensor_json(each) for each in facts.outputs],
        "layers": [_layer_json(each) for each in facts.layers],
        "groups": [
            {
                "name": each.name,
                "members": each.members,
                "followers": each.followers,
                "channels": each.channels,
                "prunable": each.prunable,
                "why_not": each.why_not,
            }
            for each in facts.groups
        ],
        "totals": {
            "params": facts.params,
            "macs": facts.macs,
            "bytes": facts.file_bytes,
            "nodes": len(facts.nodes),
        },
        "notes": facts.notes,
    }


def interval(figure: Figure) -> list[float | None]:
    """[low, high] of the 95 % interval."""
    return [figure.low, figure.high]


def _tensor_json(tensor: TensorFact) -> dict[str, Any]:
    return {"name": tensor.name, "dtype": tensor.dtype, "shape": tensor.shape}


def _layer_json(layer: LayerFact) -> dict[str, Any]:
    return {
        "name": layer.name,
        "op": layer.op,
        "group": layer.group,
        "params": layer.params,
        "macs": layer.macs,
        "bytes": layer.bytes,
        "bits": layer.bits,
        "prunable": layer.prunable,
        "why_not_prunable": layer.why_not_prunable,
    }


def _facts_text(facts: Facts) -> str:
    head = tables.pairs(
        [
            ("model", f"{facts.path} ({facts.format}, opset {facts.opset})"),
            ("made by", facts.producer or "–"),
            ("inputs", ", ".join(_tensor_text(each) for each in facts.inputs)),
            ("outputs", ", ".join(_tensor_text(each) for each in facts.outputs)),
            ("totals", _totals_text(facts)),
        ]
    )
    rows = [_layer_row(each) for each in facts.layers]
    columns = ("layer", "op", "group", "params", "MACs", "bytes", "bits", "channels")
    return f"{head}\n\n{tables.table(columns, rows)}" if rows else head


def _totals_text(facts: Facts) -> str:
    numbers = f"{tables.count(facts.params)} params, {tables.count(facts.macs)} MACs"
    return f"{numbers}, {tables.size(facts.file_bytes)}, {len(facts.nodes)} nodes"


def _tensor_text(tensor: TensorFact) -> str:
    shape = "?" if tensor.shape is None else "×".join(str(size or "?") for size in tensor.shape)
    return f"{tensor.name} {tensor.dtype} {shape}"


def _layer_row(layer: LayerFact) -> list[str]:
    return [
        layer.name,
        layer.op,
        layer.group or "–",
        tables.count(layer.params),
        tables.count(layer.macs),
        tables.count(layer.bytes),
        str(layer.bits),
        "can go" if layer.prunable else f"stay: {layer.why_not_prunable}",
    ]


def _evaluation_json(found: Evaluation) -> dict[str, Any]:
    return {
        "metric": found.metric,
        "value": found.figure.value,
        "n": found.figure.n,
        "interval": interval(found.figure),
        "bytes": found.bytes,
        "sha256": found.sha256,
    }


def _evaluation_text(model: Path, found: Evaluation) -> str:
    return tables.pairs(
        [
            ("model", str(model)),
            (found.metric, tables.figure(found.figure)),
            ("size", tables.size(found.bytes)),
            ("sha256", found.sha256),
        ]
    )


def _comparison_json(found: Comparison, drift: tuple[LayerDrift, ...]) -> dict[str, Any]:
    return {
        "metric": found.metric,
        "original": found.original.value,
        "optimized": found.optimized.value,
        "difference": found.difference.value,
        "interval": interval(found.difference),
        "n": found.difference.n,
        "flips": found.flip_count,
        "sqnr_db": found.sqnr_db,
        "details": [
            {"name": each.name, "original": each.original, "optimized": each.optimized, "unit": each.unit}
            for each in found.details
        ],
        "layers": [{"name": each.layer, "sqnr_db": each.sqnr_db} for each in drift],
    }


def _comparison_text(found: Comparison, drift: tuple[LayerDrift, ...]) -> str:
    head = tables.pairs(
        [
            (f"{found.metric}, original", tables.figure(found.original)),
            (f"{found.metric}, optimized", tables.figure(found.optimized)),
            ("difference", tables.figure(found.difference, signed=True)),
            ("answers changed", tables.count(found.flip_count)),
            *((each.name, _detail_text(each)) for each in found.details),
        ]
    )
    rows = [[each.layer, "–" if each.sqnr_db is None else f"{each.sqnr_db:.1f}"] for each in drift]
    return f"{head}\n\n{tables.table(('layer', 'SQNR dB'), rows)}" if rows else head


def _detail_text(detail: Detail) -> str:
    before = "" if detail.original is None else f"{detail.original:.4g} → "
    return f"{before}{detail.optimized:.4g} {detail.unit}".rstrip()
