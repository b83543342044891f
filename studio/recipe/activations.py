"""What width a layer's activations get, and where their ranges come from: data, or every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.artifact import Refusal
from studio.graph.model import Facts, LayerFact
from studio.recipe.settings import FLOAT, Settings
from studio.target import OpRule, Target


@dataclass(frozen=True, slots=True)
class Ranges:
    """Where ranges of activations can come from: data, or every run; `why` not, by width.

    `pooled` names the layers in front of a MaxPool.
    """

    calibrated: bool
    dynamic: bool
    why: Mapping[int, str]
    pooled: frozenset[str]


def activations(
    wish: Settings,
    bits: int,
    block: int,
    layer: LayerFact,
    rule: OpRule,
    ranges: Ranges,
    refused: list[Refusal],
) -> tuple[int, bool]:
    """Width of the activations, and whether their ranges are found at every run."""
    asked = wish.activations
    if bits > 8 or block:
        if asked is not None and asked < FLOAT:
            reason = "int8 kernels need integer weights; set the weights to 8 bits or fewer"
            if block:
                reason = "int8 kernels take one scale per channel, not per block"
            refused.append(Refusal("activations", str(asked), str(FLOAT), reason))
        return FLOAT, False
    if wish.dynamic and asked != FLOAT:
        return _dynamic(layer, rule, refused)
    if asked is None and not ranges.calibrated and ranges.dynamic and _runs_dynamic(layer, rule):
        return _without_data(refused)
    if asked is None:
        pays = rule.pays(layer, layer.name in ranges.pooled)
        asked = 8 if 8 in rule.activations and pays and ranges.calibrated else FLOAT
    if asked not in rule.activations:
        reason = (
            ranges.why.get(asked) or rule.why or f"this op takes {', '.join(map(str, rule.activations))} bits"
        )
        refused.append(Refusal("activations", str(asked), str(FLOAT), reason))
        return FLOAT, False
    if asked < FLOAT and not ranges.calibrated:
        if _runs_dynamic(layer, rule):
            return _without_data(refused)
        reason = "int8 activations need calibration data; attach a data set"
        refused.append(Refusal("activations", str(asked), str(FLOAT), reason))
        return FLOAT, False
    return asked, False


def _dynamic(layer: LayerFact, rule: OpRule, refused: list[Refusal]) -> tuple[int, bool]:
    """What a wish for ranges found at every run comes to; the layer stays float where it cannot be."""
    if _runs_dynamic(layer, rule):
        return 8, True
    reason = rule.why_dynamic or f"the runtime has no such kernel for {layer.op} with this weight"
    refused.append(Refusal("dynamic", "true", "false", reason))
    return FLOAT, False


def _runs_dynamic(layer: LayerFact, rule: OpRule) -> bool:
    return rule.dynamic and len(layer.weight_shape) == 2


def _without_data(refused: list[Refusal]) -> tuple[int, bool]:
    reason = "there is no calibration data: ranges are found at every run; attach data for fixed ones"
    refused.append(Refusal("dynamic", "false", "true", reason))
    return 8, True


def mostly_dynamic(facts: Facts, target: Target) -> bool:
    """Whether more than half of the work is in layers whose ranges can be found at every run."""
    weighed = [(layer.macs or layer.params, layer) for layer in facts.layers]
    runs = sum(work for work, layer in weighed if _runs_dynamic(layer, target.rule(layer.op)))
    return 2 * runs > sum(work for work, _ in weighed)
