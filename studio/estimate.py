"""Size by arithmetic and accuracy from measured curves, within a frame of a slider's move.

The ghosts that the built file and the measured figure replace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from studio.artifact import Artifact, LayerOutcome
from studio.graph.model import Facts, LayerFact
from studio.metrics import ESTIMATED, Figure
from studio.recipe.resolve import LayerPlan, Plan
from studio.recipe.settings import FLOAT

# Bytes of nodes and names, seen on serialized files; weights, scales and biases are counted exactly.
_NODE = 48
_PAIR = 46
_INTEGER = 280
_CODES = 150
_NARROW = 100
_UNPACK = {4: 75}
_UNPACK_PLANES = 390
_MASK = 450
_GONE = ("BatchNormalization", "Identity", "Dropout", "Constant")
_ABSORBED = ("Relu", "Clip")


@dataclass(frozen=True, slots=True)
class Miss:
    """How far an estimate was from what was measured: size in % of the real one, accuracy in points."""

    revision: int
    size: float
    points: float | None = None


@dataclass(frozen=True, slots=True)
class Width:
    """A layer's channels that stay, and the share of its weights."""

    channels: int
    share: float


def size(facts: Facts, plan: Plan, built: Artifact | None = None) -> Figure:
    """Estimated bytes of the file that `plan` comes to.

    With `built`, any artifact of this model, what the arithmetic missed there is added here too: a
    layer that became there what is planned now counts with its real bytes. Linear in the layers.
    """
    rows = {row.layer: row for row in plan.layers}
    if not any(row.touched for row in plan.layers):
        return Figure(float(facts.file_bytes), "bytes", 0, ESTIMATED)
    left = widths(facts, rows)
    known = {outcome.layer: outcome for outcome in built.layers} if built else {}
    total = _rest(facts, plan, built)
    for layer in facts.layers:
        row, outcome = rows[layer.name], known.get(layer.name)
        total += _bytes(layer, left[layer.name], row)
        if outcome is not None and _comparable(row, outcome):
            total += outcome.bytes - _bytes(layer, left[layer.name], outcome)
    return Figure(float(round(total)), "bytes", 0, ESTIMATED)


def mean_miss(misses: Sequence[Miss]) -> tuple[float | None, float | None]:
    """Mean |estimate - measured| so far: of the size in %, of the accuracy in points; None without any."""
    sizes = [abs(each.size) for each in misses]
    points = [abs(each.points) for each in misses if each.points is not None]
    return _mean(sizes), _mean(points)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _rest(facts: Facts, plan: Plan, built: Artifact | None) -> float:
    """What belongs to no layer: nodes, names, the head of the file."""
    if built is not None and any(each.bits < FLOAT or each.sparsity > 0 for each in built.layers):
        return max(built.bytes - sum(outcome.bytes for outcome in built.layers), 0)
    integer = any(row.activations < FLOAT for row in plan.layers)
    gone = (*_GONE, *_ABSORBED) if integer else _GONE
    total = 200.0
    for op, (count, letters, size) in facts.ops.items():
        if op not in gone:
            total += count * (_NODE + (2 * _PAIR if integer else 0)) + letters + size
    return total


def widths(facts: Facts, rows: Mapping[str, LayerPlan]) -> dict[str, Width]:
    """What is left of each layer once channels are gone, its own and those that it reads."""
    outputs: dict[str, float] = {}
    inputs: dict[str, float] = {}
    for group in facts.groups:
        cut = max((_channels_cut(rows[name]) for name in group.members if name in rows), default=0.0)
        if cut:
            kept = _kept(group.channels, cut)
            outputs.update(dict.fromkeys(group.members, kept))
            inputs.update({name: inputs.get(name, 1.0) * kept for name in group.followers})
    found = {}
    for layer in facts.layers:
        own = outputs.get(layer.name, 1.0)
        read = 1.0 if layer.depthwise else inputs.get(layer.name, 1.0)
        found[layer.name] = Width(round(layer.out_channels * own), own * read)
    return found


def _kept(width: int, cut: float) -> float:
    """The share of channels that stays: whole blocks, as pruning leaves them."""
    step = 16 if width >= 32 else 1
    return min(width, max(ceil(width * (1 - cut) / step - 0.5) * step, step)) / max(width, 1)


def _channels_cut(row: LayerPlan) -> float:
    return row.sparsity if row.structure == "channels" else 0.0


def _bytes(layer: LayerFact, width: Width, row: LayerPlan | LayerOutcome) -> float:
    """Bytes of a layer's weight, scales and bias, and of the nodes around them."""
    count, bias = layer.params * width.share, 4.0 * width.channels
    sparse = row.sparsity if row.structure == "unstructured" else 0.0
    if row.bits > 8:
        each = min(row.bits, layer.bits) / 8
        overhead = _NARROW if row.bits == 16 else 40
        return _least(count * each, sparse, count * each, count, 0.0) + overhead + bias
    steps = 4.0 * width.channels
    packed = count * row.bits / 8 + (_UNPACK.get(row.bits, _UNPACK_PLANES) if row.bits < 8 else 0)
    unpack = _UNPACK_PLANES if row.bits < 8 else 0
    stored = _least(min(packed, count), sparse, count * row.bits / 8, count, unpack)
    return stored + steps + bias + (_INTEGER if row.activations == 8 else _CODES)


def _least(dense: float, sparse: float, full: float, count: float, unpack: float) -> float:
    """Bytes as they lie, or behind a mask of one bit per weight where that is fewer."""
    return min(dense, count / 8 + full * (1 - sparse) + _MASK + unpack) if sparse else dense


def _comparable(row: LayerPlan, outcome: LayerOutcome) -> bool:
    """Whether the arithmetic's error there can be expected here: the same form of storage."""
    same = (row.sparsity, row.structure) == (outcome.sparsity, outcome.structure)
    return row.activations == outcome.activations and (same or row.sparsity == outcome.sparsity == 0)
