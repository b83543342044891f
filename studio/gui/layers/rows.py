"""What the layer table shows, as frozen rows made from facts, plan and artifact."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from studio.artifact import Artifact, LayerOutcome, Refusal
from studio.graph.model import Facts, LayerFact
from studio.metrics import LayerDrift, Sensitivity
from studio.predict import LayerTimes
from studio.recipe.resolve import LayerPlan, Plan
from studio.target import Target

_SCALE_BYTES = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One layer. `after` is the weight's length in the built file where `real`, else an estimate.

    `stops` are the widths that this layer's op takes, widest first; `effect` is the largest one
    measured for its group alone, `curve` the points lost by width, widest first. `sqnr_db` is that of its
    output in the file of now, `times` that of its kernel on the board `timed_on`. `scope` are the names
    around it, outermost first.
    """

    name: str
    op: str
    group: str
    members: tuple[str, ...]
    params: int
    before: int
    after: int
    real: bool
    bits: int
    sparsity: float
    structure: str
    stops: tuple[int, ...]
    sparse: bool
    prunable: bool
    why_not_prunable: str
    refused: tuple[Refusal, ...]
    effect: Sensitivity | None
    curve: tuple[tuple[float, float], ...] = ()
    sqnr_db: float | None = None
    locked: bool = False
    times: LayerTimes | None = None
    timed_on: str = ""
    scope: tuple[str, ...] = ()

    @property
    def shared(self) -> bool:
        """Whether its sparsity moves other layers too."""
        return len(self.members) > 1

    @property
    def likely_ms(self) -> float | None:
        """Its kernel's time on the board `timed_on` at the width that it has now; None where not known."""
        if self.times is None:
            return None
        return self.times.float_ms if self.bits > 8 else self.times.int8_ms

    def refusal(self, *settings: str) -> Refusal | None:
        """The first refusal of one of these settings."""
        return next((each for each in self.refused if each.setting in settings), None)


def rows(
    facts: Facts,
    plan: Plan,
    target: Target,
    artifact: Artifact | None = None,
    sensitivity: Iterable[Sensitivity] = (),
    drift: Iterable[LayerDrift] = (),
    locked: Container[str] = (),
    times: Iterable[LayerTimes] = (),
    timed_on: str = "",
) -> tuple[Row, ...]:
    """One row per layer in graph order. `artifact` must be the one of this plan, or None."""
    made = {each.layer: each for each in artifact.layers} if artifact else {}
    found = tuple(sensitivity)
    known = _Known(
        _strongest(found),
        _curves(found),
        {each.layer: each.sqnr_db for each in drift},
        {each.layer: each for each in times},
        locked,
        timed_on,
    )
    return tuple(
        _row(facts, facts.by_name[each.layer], each, target, made.get(each.layer), known)
        for each in plan.layers
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found out beside the plan; effects and curves by group or layer, the rest by layer."""

    effects: dict[str, Sensitivity]
    curves: dict[str, tuple[tuple[float, float], ...]]
    noise: dict[str, float | None]
    times: dict[str, LayerTimes]
    locked: Container[str]
    timed_on: str


def _row(
    facts: Facts,
    layer: LayerFact,
    plan: LayerPlan,
    target: Target,
    made: LayerOutcome | None,
    known: _Known,
) -> Row:
    rule, group = target.rule(layer.op), facts.group_of.get(layer.group)
    return Row(
        name=layer.name,
        op=layer.op,
        group=layer.group,
        members=group.members if group else (),
        params=layer.params,
        before=layer.bytes,
        after=made.bytes if made else estimated(layer, plan),
        real=made is not None,
        bits=plan.bits,
        sparsity=plan.sparsity,
        structure=plan.structure,
        stops=rule.bits,
        sparse=bool(rule.sparsity),
        prunable=layer.prunable,
        why_not_prunable=layer.why_not_prunable,
        refused=made.refused if made else plan.refused,
        effect=known.effects.get(layer.group) or known.effects.get(layer.name),
        curve=known.curves.get(layer.group) or known.curves.get(layer.name) or (),
        sqnr_db=known.noise.get(layer.name),
        locked=layer.name in known.locked,
        times=known.times.get(layer.name),
        timed_on=known.timed_on,
        scope=facts.nodes[layer.node].scope if layer.node < len(facts.nodes) else (),
    )


def estimated(layer: LayerFact, plan: LayerPlan) -> int:
    """Bytes of the weight by arithmetic: values kept × bits, and scales per channel."""
    kept = 1 - plan.sparsity if plan.structure == "channels" else 1.0
    scales = layer.out_channels * _SCALE_BYTES if plan.quantized else 0
    return round((layer.params * min(plan.bits, layer.bits) / 8 + scales) * kept)


def _curves(sensitivity: Iterable[Sensitivity]) -> dict[str, tuple[tuple[float, float], ...]]:
    """Points lost by width as they were counted, for each group; widest first."""
    found: dict[str, dict[float, float]] = {}
    for each in sensitivity:
        name, _, value = each.setting.partition("=")
        if name == "bits":
            found.setdefault(each.group, {32.0: 0.0})[float(value)] = max(-each.difference.value, 0.0)
    return {group: tuple(sorted(curve.items(), reverse=True)) for group, curve in found.items()}


def _strongest(sensitivity: Iterable[Sensitivity]) -> dict[str, Sensitivity]:
    found: dict[str, Sensitivity] = {}
    for each in sensitivity:
        old = found.get(each.group)
        if old is None or each.difference.value < old.difference.value:
            found[each.group] = each
    return found
