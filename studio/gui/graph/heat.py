"""Colour by a figure: values per box, their range, how they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log10

from studio.graph.model import Facts
from studio.graph.scopes import Box
from studio.gui import numbers
from studio.gui.texts import T
from studio.recipe.resolve import LayerPlan

MODES = {
    "op": T.column_op,
    "bits": T.column_bits,
    "sparsity": T.column_sparsity,
    "size": T.card_size,
    "macs": T.graph_macs,
    "sensitivity": T.sensitivity,
}
_LOGARITHMIC = ("size", "macs")


@dataclass(frozen=True)
class Heat:
    """Values of boxes under one mode; `low` and `high` are the ends of the ramp."""

    mode: str = "op"
    values: dict[int, float] = field(default_factory=dict)
    low: float = 0.0
    high: float = 1.0

    def fraction(self, box: int) -> float | None:
        """Place of a box on the ramp, 0 to 1; None where there is no value."""
        value = self.values.get(box)
        if value is None:
            return None
        low, high = _scaled(self.mode, self.low), _scaled(self.mode, self.high)
        return (_scaled(self.mode, value) - low) / (high - low) if high > low else 1.0

    def text(self, box: int) -> str:
        """The value as it is written beside the colour, "" where there is none."""
        value = self.values.get(box)
        return "" if value is None else reads(self.mode, value)


class Figures:
    """Per-layer figures of a model: its own, those of the plan, those measured."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.plan: dict[str, LayerPlan] = {}
        self.given: dict[str, dict[str, float]] = {}

    def bits(self, layer: str) -> int:
        row = self.plan.get(layer)
        return min(row.bits, self.facts.by_name[layer].bits) if row else self.facts.by_name[layer].bits

    def sparsity(self, layer: str) -> float:
        row = self.plan.get(layer)
        return row.sparsity if row else 0.0

    def heat(self, mode: str, boxes: tuple[Box, ...]) -> Heat:
        """Values of all boxes that are no frames."""
        values = {}
        for at, box in enumerate(boxes):
            value = self._value(mode, box) if box.kind in ("card", "scope") else None
            if value is not None:
                values[at] = value
        return Heat(mode, values, *_ends(mode, values))

    def _value(self, mode: str, box: Box) -> float | None:
        if mode in self.given:
            return self._measured(mode, self.given[mode], box)
        if mode == "size":
            return float(sum(self.facts.nodes[node].bytes for node in box.members)) or None
        if mode == "macs":
            return float(sum(self.facts.nodes[node].macs or 0 for node in box.members)) or None
        layers = [layer for layer in box.layers if layer in self.facts.by_name]
        weights = [max(self.facts.by_name[layer].params, 1) for layer in layers]
        if mode not in ("bits", "sparsity") or not layers:
            return None
        each = [float(self.bits(layer)) if mode == "bits" else self.sparsity(layer) * 100 for layer in layers]
        return sum(v * w for v, w in zip(each, weights, strict=True)) / sum(weights)

    def _measured(self, mode: str, given: Mapping[str, float], box: Box) -> float | None:
        found = [given[layer] for layer in box.layers if layer in given]
        if not found:
            return None
        return sum(found) if mode in _LOGARITHMIC else max(found, key=abs)


def reads(mode: str, value: float) -> str:
    """A value with its unit, short."""
    if mode == "bits":
        return f"{value:.3g} bit"
    if mode == "sparsity":
        return f"{value:.0f} %"
    if mode == "size":
        return numbers.size(value)
    if mode == "macs":
        return numbers.count(value)
    return f"{value:.2f}"


def _ends(mode: str, values: dict[int, float]) -> tuple[float, float]:
    if mode == "bits":
        return 2.0, 32.0
    if mode == "sparsity":
        return 0.0, 100.0
    return min(values.values(), default=0.0), max(values.values(), default=1.0)


def _scaled(mode: str, value: float) -> float:
    return log10(max(value, 1.0)) if mode in (*_LOGARITHMIC, "bits") else value
