"""Recipe + model + target → the full per-layer table, refusals included."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from studio.artifact import Refusal
from studio.graph.model import Facts, GroupFact, LayerFact
from studio.recipe.activations import Ranges, activations, mostly_dynamic
from studio.recipe.scales import block_of, granularity, symmetric
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
    dynamic: bool = False
    distribute: str = "uniform"
    threshold: float = 0.0
    pattern: str = ""
    half: str = "float16"
    criterion: str = "error"

    @property
    def quantized(self) -> bool:
        return self.bits <= 8

    @property
    def looks(self) -> bool:
        """Whether calibration data, where there is any, may have a say in what becomes of the layer."""
        return self.quantized or self.sparsity > 0 or self.threshold > 0

    @property
    def touched(self) -> bool:
        return self.bits != FLOAT or self.sparsity > 0 or self.threshold > 0


@dataclass(frozen=True)
class Plan:
    """The resolved table, one row per layer in graph order."""

    layers: tuple[LayerPlan, ...]
    calibration: str
    calibration_samples: int
    repair: tuple[str, ...]

    def of(self, layer: str) -> LayerPlan:
        """The row of `layer`; KeyError where the model has no such layer."""
        return self._rows[layer]

    @cached_property
    def _rows(self) -> dict[str, LayerPlan]:
        return {row.layer: row for row in self.layers}

    @property
    def needs_calibration(self) -> bool:
        return any(row.activations < FLOAT and not row.dynamic for row in self.layers)


@dataclass(slots=True)
class Known:
    """Rows worked out before for the same model, target and `calibrated`, with the wishes that they are of.

    An edit changes the wishes of a few layers; of thousands the rest are taken over.
    """

    rows: dict[str, tuple[Settings, Settings | None, LayerPlan]] = field(default_factory=dict)
    removable: dict[str, bool] = field(default_factory=dict)


def resolve(
    recipe: Recipe, facts: Facts, target: Target, calibrated: bool, known: Known | None = None
) -> Plan:
    """The plan that `recipe` comes to for this model on `target`; `known` makes it quicker, not another.

    `calibrated` says whether calibration data is at hand; without it activations stay float.
    What cannot be had is in each row's `refused`, with its reason. Unknown patterns are no error:
    see `unmatched`.
    """
    known = known if known is not None else Known()
    if not known.removable:
        known.removable = {group.name: _removable(group, facts, target) for group in facts.groups}
    shared = {
        group.name: _group_settings(recipe, facts, group)
        for group in facts.groups
        if known.removable[group.name]
    }
    dynamic = not calibrated and mostly_dynamic(facts, target)
    ranges = Ranges(calibrated, dynamic, target.why_activations, facts.pooled)
    rows = (_known_row(recipe, layer, facts, target, shared, ranges, known) for layer in facts.layers)
    return Plan(tuple(rows), recipe.calibration, recipe.calibration_samples, recipe.repair)


def unmatched(recipe: Recipe, facts: Facts) -> tuple[str, ...]:
    """Patterns of `recipe` that name no layer of this model."""
    return tuple(r.pattern for r in recipe.laid if not any(r.takes_layer(layer) for layer in facts.layers))


def _removable(group: GroupFact, facts: Facts, target: Target) -> bool:
    """Whether channels can go: the graph allows it, and the target for every member."""
    ops = {facts.by_name[name].op for name in group.members}
    return group.prunable and all("channels" in target.rule(op).sparsity for op in ops)


def _group_settings(recipe: Recipe, facts: Facts, group: GroupFact) -> Settings:
    members = tuple(facts.by_name[name] for name in group.members)
    merged = recipe.default
    for rule in recipe.laid:
        if rule.takes_group(group, members):
            merged = rule.settings.over(merged)
    return merged


def _known_row(
    recipe: Recipe,
    layer: LayerFact,
    facts: Facts,
    target: Target,
    shared: dict[str, Settings],
    ranges: Ranges,
    known: Known,
) -> LayerPlan:
    wish, group = recipe.default, shared.get(layer.group)
    for each in recipe.laid:
        if each.takes_layer(layer):
            wish = each.settings.over(wish)
    before = known.rows.get(layer.name)
    if before is not None and before[0] == wish and before[1] == group:
        return before[2]
    row = _row(wish, layer, facts, target.rule(layer.op), shared, ranges)
    known.rows[layer.name] = wish, group, row
    return row


def _row(
    wish: Settings,
    layer: LayerFact,
    facts: Facts,
    rule: OpRule,
    shared: dict[str, Settings],
    ranges: Ranges,
) -> LayerPlan:
    refused: list[Refusal] = []
    bits = _bits(wish, layer, rule, refused)
    sparsity, structure = _sparsity(wish, shared.get(layer.group), layer, facts, rule, refused)
    block = block_of(wish, bits, layer, rule, refused)
    width, dynamic = activations(wish, bits, block, layer, rule, ranges, refused)
    return LayerPlan(
        layer=layer.name,
        group=layer.group,
        bits=bits,
        activations=width,
        dynamic=dynamic,
        sparsity=sparsity,
        structure=structure,
        distribute=_distribute(shared.get(layer.group), structure),
        threshold=wish.threshold or 0.0 if structure == "unstructured" else 0.0,
        pattern=wish.pattern or "" if structure == "unstructured" else "",
        granularity="block" if block else granularity(wish, rule, refused),
        block=block,
        symmetric=symmetric(
            wish, bits, sparsity, structure, bool(block), layer.groups > 1 and width < FLOAT, rule, refused
        ),
        storage=wish.storage or "auto",
        half=wish.half or "float16",
        criterion=_criterion(shared.get(layer.group), structure),
        refused=tuple(refused),
    )


def _bits(wish: Settings, layer: LayerFact, rule: OpRule, refused: list[Refusal]) -> int:
    asked = wish.bits or FLOAT
    if layer.bits < asked <= FLOAT:
        if asked < FLOAT:
            reason = f"the file already stores it in {layer.bits} bits; it is left as it is"
            refused.append(Refusal("bits", str(asked), str(layer.bits), reason))
        return FLOAT
    if asked in rule.bits:
        return asked
    wider = [bits for bits in rule.bits if bits > asked]
    given = min(wider) if wider else max(rule.bits)
    refused.append(
        Refusal("bits", str(asked), str(given), rule.why or f"{layer.op} takes {_list(rule.bits)}")
    )
    return given


def _sparsity(
    wish: Settings,
    shared: Settings | None,
    layer: LayerFact,
    facts: Facts,
    rule: OpRule,
    refused: list[Refusal],
) -> tuple[float, str]:
    """Channels go as the whole group wishes (`shared`, None where it cannot); single weights as the
    layer alone wishes."""
    single = bool(wish.pattern or wish.threshold)
    if not single and shared is not None and layer.prunable and shared.structure != "unstructured":
        given = _capped(shared.sparsity or 0.0, refused)
        return given, "channels" if given > 0 else "none"
    asked = _share(wish)
    if asked <= 0 and not wish.threshold:
        return 0.0, "none"
    if wish.structure == "channels" and not single:
        reason = _why_not(layer, facts, rule)
        refused.append(Refusal("structure", "channels", "unstructured", reason))
    if "unstructured" not in rule.sparsity:
        reason = rule.why or f"{layer.op} takes no sparsity on this target"
        refused.append(Refusal("sparsity", f"{asked:g}", "0", reason))
        return 0.0, "none"
    return _capped(asked, refused), "unstructured"


def _share(wish: Settings) -> float:
    """The fraction of single weights that goes, as far as it is known before they are seen."""
    if wish.threshold:
        return 0.0
    if wish.pattern:
        stay, of = wish.pattern.split(":")
        return 1 - int(stay) / int(of)
    return wish.sparsity or 0.0


def _distribute(shared: Settings | None, structure: str) -> str:
    """Channels go as the group wishes; single weights always layer by layer."""
    wish = shared.distribute if shared is not None and structure == "channels" else None
    return wish or "uniform"


def _criterion(shared: Settings | None, structure: str) -> str:
    """Channels are chosen as the group wishes."""
    wish = shared.criterion if shared is not None and structure == "channels" else None
    return wish or "error"


def _capped(asked: float, refused: list[Refusal]) -> float:
    given = min(asked, MAX_SPARSITY)
    if given < asked:
        refused.append(Refusal("sparsity", f"{asked:g}", f"{given:g}", "nothing of the layer would be left"))
    return given


def _why_not(layer: LayerFact, facts: Facts, rule: OpRule) -> str:
    group = facts.group_of.get(layer.group)
    known = layer.why_not_prunable or (group.why_not if group else "the layer belongs to no group")
    if known:
        return known
    if "channels" in rule.sparsity and group is not None and len(group.members) > 1:
        return "the target removes no channels of a layer that shares them"
    return rule.why or f"the target removes no channels of {layer.op}"


def _list(bits: tuple[int, ...]) -> str:
    return ", ".join(str(each) for each in bits) + " bits"
