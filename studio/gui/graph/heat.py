"""Colour by a figure: values per box, their range, how they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log10, sqrt

from studio.graph.model import Facts
from studio.graph.scopes import Box
from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.metrics import CodedRange
from studio.recipe.resolve import LayerPlan, Plan

MODES = {
    "op": T.column_op,
    "bits": T.column_bits,
    "sparsity": T.column_sparsity,
    "size": T.card_size,
    "macs": T.graph_macs,
    "sensitivity": T.sensitivity,
    "sqnr": T.graph_noise,
    "time": T.graph_time,
}
_ON_LOG = ("size", "macs", "bits")
_PLAIN = {"sensitivity": (2, "pp"), "sqnr": (1, "dB"), "time": (2, "ms")}
_SUMMED = ("size", "macs", "time")


@dataclass(frozen=True)
class Heat:
    """Values of boxes under one mode; `low` and `high` are the ends of the ramp, from calm to hot.

    Where little is what burns (SQNR), `low` is the larger of the two.
    """

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
        return (_scaled(self.mode, value) - low) / (high - low) if high != low else 1.0

    @property
    def middle(self) -> float:
        """The value in the middle of the ramp, which is logarithmic for some modes."""
        if self.mode in _ON_LOG:
            return sqrt(max(self.low, 1.0) * max(self.high, 1.0))
        return (self.low + self.high) / 2

    def text(self, box: int) -> str:
        """The value as it is written beside the colour, "" where there is none."""
        value = self.values.get(box)
        return "" if value is None else reads(self.mode, value)


class Figures:
    """Per-layer figures of a model: its own, those of the plan, those measured; and by tensor what its
    codes can hold."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.plan: dict[str, LayerPlan] = {}
        self.given: dict[str, dict[str, float]] = {}
        self.ranges: Mapping[str, CodedRange] = {}

    def set_plan(self, plan: Plan | None) -> None:
        """Take over the settings of a plan."""
        self.plan = {row.layer: row for row in plan.layers} if plan else {}

    def give(self, mode: str, values: Mapping[str, float]) -> bool:
        """Take over what was measured for one mode, nothing for none; whether it is news."""
        if self.given.get(mode, {}) == values:
            return False
        if values:
            self.given[mode] = dict(values)
        else:
            del self.given[mode]
        return True

    def of_layer(self, figure: str, layer: str) -> float | None:
        """One figure of one layer: any mode but `op`, or `params`; None where it is not known."""
        fact = self.facts.by_name[layer]
        if figure in self.given:
            return self.given[figure].get(layer)
        if figure == "bits":
            return float(self.bits(layer))
        if figure == "sparsity":
            return self.sparsity(layer)
        known = {"params": fact.params, "size": fact.bytes, "macs": fact.macs}.get(figure)
        return None if known is None else float(known)

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
        if mode == "sqnr":
            return min(found)  # the noisiest is what counts
        return sum(found) if mode in _SUMMED else max(found, key=abs)


def reads(mode: str, value: float) -> str:
    """A value with its unit, short."""
    if mode == "bits":
        return f"{value:.3g} bit"
    if mode == "sparsity":
        return f"{value:.0f} %"
    if mode in _PLAIN:
        digits, unit = _PLAIN[mode]
        return f"{value:.{digits}f} {unit}"
    return numbers.size(value) if mode == "size" else numbers.count(value)


def _ends(mode: str, values: dict[int, float]) -> tuple[float, float]:
    if mode == "bits":
        return 2.0, 32.0
    if mode == "sparsity":
        return 0.0, 100.0
    ends = min(values.values(), default=0.0), max(values.values(), default=1.0)
    return (ends[1], ends[0]) if mode == "sqnr" else ends


def _scaled(mode: str, value: float) -> float:
    return log10(max(value, 1.0)) if mode in _ON_LOG else value
