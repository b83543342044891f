"""Settings, rules and recipes: a default plus a short tuple of ordered rules, later wins."""

from __future__ import annotations

from fnmatch import fnmatchcase
from math import prod
from typing import Any, Literal

import msgspec

from studio.graph.model import GroupFact, LayerFact

FLOAT = 32
MAX_SPARSITY = 0.95
REPAIRS = ("equalize", "smooth", "split", "round", "bias")

_LESS = ("sparsity", "threshold", "pattern")  # one of them says how many weights go
Structure = Literal["auto", "channels", "unstructured"]
Distribute = Literal["uniform", "global"]
Pattern = Literal["1:2", "2:4", "4:8", "1:4"]
Granularity = Literal["channel", "tensor", "block"]
Storage = Literal["auto", "dense", "packed", "codebook", "masked"]
Criterion = Literal["error", "activations", "magnitude"]
Half = Literal["float16", "bfloat16", "int16"]
Calibration = Literal["minmax", "average", "percentile", "entropy", "mse"]


class Settings(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is wanted of a layer; None leaves it to an earlier rule or to the program.

    `bits`: width of weights, 32 (float), 16 (`half`: float16, bfloat16, which has float's range, or
    int16 with a scale per output channel), 8 … 1.
    `activations`: 32 or 8; None means 8 where the weights are integers, the target runs it and calibration
    data is there.
    `dynamic`: ranges of activations are found anew at every run, which needs no calibration data.
    `symmetric` False gives the weights zero points: their range need not lie around zero.
    `sparsity`: fraction removed, 0 … 0.95. `distribute` "global": as much as that figure would save is
    taken from all such groups together, where channels cost least; a later figure of a layer's own holds
    as it is. `criterion`: which channels go; "error" (the default; measured: least error of the layers behind
    once the rest stands in, weighed by how much the outputs answer to it), "activations" (least variance
    times weights) or "magnitude" (smallest weights); without data always the last. `threshold`: single
    weights of at most that magnitude go (batch norms folded, channels equalized); `pattern` "2:4": of four
    consecutive input channels two stay. `block`: length of a scale's block along input channels.
    """

    bits: int | None = None
    activations: int | None = None
    dynamic: bool | None = None
    sparsity: float | None = None
    structure: Structure | None = None
    granularity: Granularity | None = None
    block: int | None = None
    symmetric: bool | None = None
    storage: Storage | None = None
    distribute: Distribute | None = None
    threshold: float | None = None
    pattern: Pattern | None = None
    half: Half | None = None
    criterion: Criterion | None = None

    def over(self, below: Settings) -> Settings:
        """These settings laid over `below`: what is None here shines through."""
        ours = self.given()
        if any(name in ours for name in _LESS):
            ours = {**dict.fromkeys((*_LESS, "distribute")), **ours}
        return Settings(**{**below.given(), **ours})

    def given(self) -> dict[str, Any]:
        """The settings that are not None, by name."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}


_WILD = frozenset("*?[")


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`settings` for every layer that `pattern` names.

    A pattern is a layer's name, a shell-style wildcard over layer names (`layer1.*`), `op:Conv`,
    `weights<4096` (layers of fewer weights than that), or the full name of a group. Group names take no
    wildcard: they hold a member's name, and `conv1*` must not reach the other members' bits.
    """

    pattern: str
    settings: Settings

    def takes_layer(self, layer: LayerFact) -> bool:
        if self.pattern == layer.name or self.pattern == layer.group != "" or self._takes(f"op:{layer.op}"):
            return True
        limit = self._limit()
        return self._takes(layer.name) or (limit > 0 and prod(layer.weight_shape) < limit)

    def takes_group(self, group: GroupFact, members: tuple[LayerFact, ...]) -> bool:
        return self.pattern == group.name or any(self.takes_layer(layer) for layer in members)

    def _limit(self) -> int:
        """The number behind `weights<`, 0 in any other pattern."""
        number = self.pattern.removeprefix("weights<")
        return int(number) if number != self.pattern and number.isdecimal() else 0

    def _takes(self, name: str) -> bool:
        if not _WILD.intersection(self.pattern):
            return self.pattern == name  # most patterns are names, and there may be thousands of layers
        return fnmatchcase(name, self.pattern)


class Recipe(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Everything that decides an artifact's bytes besides the model and the calibration data.

    `locks` are rules that hold over all others: presets, searches and edits leave them as they are.
    """

    name: str = ""
    target: str = "onnxruntime-cpu"
    default: Settings = Settings()
    rules: tuple[Rule, ...] = ()
    calibration: Calibration = "minmax"
    calibration_samples: int = 200
    repair: tuple[str, ...] = REPAIRS
    locks: tuple[Rule, ...] = ()

    @property
    def laid(self) -> tuple[Rule, ...]:
        """Every rule in the order in which it is laid over the default."""
        return (*self.rules, *self.locks)

    def keeping(self, before: Recipe) -> Recipe:
        """This recipe with the locks of `before`, where it has none of its own for the same pattern."""
        own = {rule.pattern for rule in self.locks}
        kept = tuple(rule for rule in before.locks if rule.pattern not in own)
        return msgspec.structs.replace(self, locks=(*kept, *self.locks))

    def with_rule(self, pattern: str, settings: Settings) -> Recipe:
        """This recipe with `settings` laid over `pattern`; rules of the same pattern are merged."""
        old = next((rule.settings for rule in self.rules if rule.pattern == pattern), Settings())
        rest = tuple(rule for rule in self.rules if rule.pattern != pattern)
        return msgspec.structs.replace(self, rules=(*rest, Rule(pattern, settings.over(old))))
