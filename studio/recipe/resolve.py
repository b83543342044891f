"""Recipe + model + target → the full per-layer table, refusals included."""

from __future__ import annotations

from dataclasses import dataclass

from studio.artifact import Refusal
from studio.graph.model import Facts, GroupFact, LayerFact
from studio.recipe.settings import FLOAT, MAX_SPARSITY, Recipe, Settings
from studio.target import OpRule, Target


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """What will be done to one layer. Widths are real ones: nothing here is a wish any more."""

    layer: str
    group: str
    bits: int
    activations: int
    sparsity: float
    structure: str
    granularity: str
    block: int
    symmetric: bool
    storage: str
    refused: tuple[Refusal, ...] = ()

    @property
    def quantized(self) -> bool:
        return self.bits <= 8

    @property
    def touched(self) -> bool:
        return self.bits != FLOAT or self.sparsity > 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The resolved table, one row per layer in graph order."""

    layers: tuple[LayerPlan, ...]
    calibration: str
    calibration_samples: int
    repair: tuple[str, ...]

    def of(self, layer: str) -> LayerPlan:
        """The row of `layer`; KeyError where the model has no such layer."""
        for row in self.layers:
            if row.layer == layer:
                return row
        raise KeyError(layer)

    @property
    def needs_calibration(self) -> bool:
        return any(row.activations < FLOAT for row in self.layers)


def resolve(recipe: Recipe, facts: Facts, target: Target, calibrated: bool) -> Plan:
    """The plan that `recipe` comes to for this model on `target`.

    `calibrated` says whether calibration data is at hand; without it activations stay float.
    What cannot be had is in each row's `refused`, with its reason. Unknown patterns are no error:
    see `unmatched`.
    """
    sparsity = {group.name: _group_settings(recipe, facts, group) for group in facts.groups}
    rows = (_row(recipe, layer, facts, target.rule(layer.op), sparsity, calibrated) for layer in facts.layers)
    return Plan(tuple(rows), recipe.calibration, recipe.calibration_samples, recipe.repair)


def unmatched(recipe: Recipe, facts: Facts) -> tuple[str, ...]:
    """Patterns of `recipe` that name no layer of this model."""
    return tuple(r.pattern for r in recipe.rules if not any(r.takes_layer(layer) for layer in facts.layers))


def _group_settings(recipe: Recipe, facts: Facts, group: GroupFact) -> Settings:
    members = tuple(facts.by_name[name] for name in group.members)
    merged = recipe.default
    for rule in recipe.rules:
        if rule.takes_group(group, members):
            merged = rule.settings.over(merged)
    return merged


def _row(
    recipe: Recipe,
    layer: LayerFact,
    facts: Facts,
    rule: OpRule,
    groups: dict[str, Settings],
    calibrated: bool,
) -> LayerPlan:
    wish = recipe.default
    for each in recipe.rules:
        if each.takes_layer(layer):
            wish = each.settings.over(wish)
    refused: list[Refusal] = []
    bits = _bits(wish, layer, rule, refused)
    shared = groups.get(layer.group, wish)
    sparsity, structure = _sparsity(shared, layer, facts, rule, refused)
    return LayerPlan(
        layer=layer.name,
        group=layer.group,
        bits=bits,
        activations=_activations(wish, bits, rule, calibrated, refused),
        sparsity=sparsity,
        structure=structure,
        granularity=_granularity(wish, rule, refused),
        block=wish.block or 32,
        symmetric=wish.symmetric if wish.symmetric is not None else True,
        storage=wish.storage or "auto",
        refused=tuple(refused),
    )


def _bits(wish: Settings, layer: LayerFact, rule: OpRule, refused: list[Refusal]) -> int:
    asked = wish.bits or FLOAT
    if layer.bits < asked <= FLOAT:
        return FLOAT  # the file already stores it narrower: left as it is
    if asked in rule.bits:
        return asked
    wider = [bits for bits in rule.bits if bits > asked]
    given = min(wider) if wider else max(rule.bits)
    refused.append(
        Refusal("bits", str(asked), str(given), rule.why or f"{layer.op} takes {_list(rule.bits)}")
    )
    return given


def _activations(wish: Settings, bits: int, rule: OpRule, calibrated: bool, refused: list[Refusal]) -> int:
    asked = wish.activations
    if bits > 8:
        if asked is not None and asked < FLOAT:
            reason = "int8 kernels need integer weights; set the weights to 8 bits or fewer"
            refused.append(Refusal("activations", str(asked), str(FLOAT), reason))
        return FLOAT
    if asked is None:
        asked = 8 if 8 in rule.activations and rule.int8_pays and calibrated else FLOAT
    if asked not in rule.activations:
        reason = rule.why or f"this op takes {_list(rule.activations)}"
        refused.append(Refusal("activations", str(asked), str(FLOAT), reason))
        return FLOAT
    if asked < FLOAT and not calibrated:
        reason = "int8 activations need calibration data; attach a data set"
        refused.append(Refusal("activations", str(asked), str(FLOAT), reason))
        return FLOAT
    return asked


def _sparsity(
    wish: Settings, layer: LayerFact, facts: Facts, rule: OpRule, refused: list[Refusal]
) -> tuple[float, str]:
    asked = wish.sparsity or 0.0
    if asked <= 0:
        return 0.0, "none"
    given = min(asked, MAX_SPARSITY)
    if given < asked:
        refused.append(Refusal("sparsity", f"{asked:g}", f"{given:g}", "nothing of the layer would be left"))
    group = facts.group_of.get(layer.group)
    possible = group is not None and group.prunable and "channels" in rule.sparsity
    structure = wish.structure or "auto"
    if structure in ("auto", "channels") and possible:
        return given, "channels"
    if structure == "channels":
        reason = layer.why_not_prunable or (group.why_not if group else "the layer belongs to no group")
        refused.append(Refusal("structure", "channels", "unstructured", reason))
    return given, "unstructured"


def _granularity(wish: Settings, rule: OpRule, refused: list[Refusal]) -> str:
    asked = wish.granularity or rule.granularity[0]
    if asked in rule.granularity:
        return asked
    given = rule.granularity[0]
    refused.append(Refusal("granularity", asked, given, f"this op takes {', '.join(rule.granularity)}"))
    return given


def _list(bits: tuple[int, ...]) -> str:
    return ", ".join(str(each) for each in bits) + " bits"
