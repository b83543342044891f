"""Size by arithmetic, within a frame of a slider's move: the ghost that the built file replaces."""

from __future__ import annotations

from studio.artifact import Artifact, LayerOutcome
from studio.graph.model import Facts, LayerFact
from studio.metrics import ESTIMATED, Figure
from studio.recipe.resolve import LayerPlan, Plan
from studio.recipe.settings import FLOAT

_SCALE_BYTES = 5  # a float32 scale and an int8 zero point per output channel
_PACKED_NODES = 600  # the ops that unpack one layer when the session opens


def size(facts: Facts, plan: Plan, built: Artifact | None = None) -> Figure:
    """Estimated bytes of the file that `plan` comes to.

    Layers that became in `built` just what is planned now count with their real bytes; the rest is
    weights x bits x kept channels, in and out. Linear in the number of layers.
    """
    known = {outcome.layer: outcome for outcome in built.layers} if built else {}
    rows = {row.layer: row for row in plan.layers}
    kept = _kept_inputs(facts, rows)
    weights = sum(_bytes(layer, rows[layer.name], kept, known.get(layer.name)) for layer in facts.layers)
    return Figure(float(_rest(facts, built) + weights), "bytes", 0, ESTIMATED)


def _rest(facts: Facts, built: Artifact | None) -> int:
    if built:
        return max(built.bytes - sum(outcome.bytes for outcome in built.layers), 0)
    return max(facts.file_bytes - sum(layer.bytes for layer in facts.layers), 0)


def _kept_inputs(facts: Facts, rows: dict[str, LayerPlan]) -> dict[str, float]:
    """Fraction of input channels that each follower of a channel-pruned group keeps."""
    kept: dict[str, float] = {}
    for group in facts.groups:
        cut = max((_channels_cut(rows[name]) for name in group.members if name in rows), default=0.0)
        for follower in group.followers if cut else ():
            kept[follower] = kept.get(follower, 1.0) * (1 - cut)
    return kept


def _channels_cut(row: LayerPlan) -> float:
    return row.sparsity if row.structure == "channels" else 0.0


def _bytes(layer: LayerFact, row: LayerPlan, kept: dict[str, float], known: LayerOutcome | None) -> float:
    inputs = kept.get(layer.name, 1.0)
    if known is not None and inputs == 1.0 and _is_as_planned(row, known):
        return known.bytes
    values = layer.params * inputs * (1 - _channels_cut(row))
    if row.structure == "unstructured" and row.bits < FLOAT:
        dense = values * row.bits / 8
        return min(dense, values * (1 - row.sparsity) * row.bits / 8 + values / 8) + _overhead(layer, row)
    return values * min(row.bits, layer.bits) / 8 + _overhead(layer, row)


def _overhead(layer: LayerFact, row: LayerPlan) -> float:
    if not row.quantized:
        return 0.0
    packed = _PACKED_NODES if row.bits < 8 else 0
    return packed + layer.out_channels * (1 - _channels_cut(row)) * _SCALE_BYTES


def _is_as_planned(row: LayerPlan, known: LayerOutcome) -> bool:
    return (row.bits, row.sparsity, row.structure) == (known.bits, known.sparsity, known.structure)
