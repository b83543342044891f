"""What each group costs in accuracy at each setting, from single-layer measurements.

Rounding errors of different layers are independent to first order, so their noise powers add at the
output; a layer's own grows by 4 for every bit that goes and with the square of what is pruned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from studio.graph.model import Facts
from studio.metrics import ESTIMATED, Figure, Sensitivity
from studio.recipe.settings import FLOAT
from studio.search.likely import likely


class Row(Protocol):
    """What is done to one layer: a plan's row or an artifact's outcome."""

    @property
    def layer(self) -> str: ...
    @property
    def bits(self) -> int: ...
    @property
    def sparsity(self) -> float: ...


@dataclass
class Curve:
    """Measured stops of one group: points lost by width in bits, and by fraction removed."""

    bits: dict[float, float] = field(default_factory=lambda: {float(FLOAT): 0.0})
    sparsity: dict[float, float] = field(default_factory=lambda: {0.0: 0.0})

    def loss(self, bits: int, sparsity: float) -> float:
        """Points of accuracy lost (at least 0), interpolated in noise power between stops."""
        return _between(self.bits, bits, _rounding) + _between(self.sparsity, sparsity, _square)


def curves(rows: Iterable[Sensitivity]) -> dict[str, Curve]:
    """A curve per group; see `likely`. A stop costs at least nothing."""
    known = list(rows)
    losses = likely([(row.difference, row.sqnr_db) for row in known])
    found: dict[str, Curve] = {}
    for row, loss in zip(known, losses, strict=True):
        name, _, value = row.setting.partition("=")
        curve = found.setdefault(row.group, Curve())
        if name == "bits":
            curve.bits[float(value)] = loss
        elif name == "sparsity":
            curve.sparsity[float(value)] = loss
    return found


def expected(
    facts: Facts,
    rows: Sequence[Row],
    known: Mapping[str, Curve],
    anchor: tuple[Sequence[Row], Figure] | None = None,
) -> Figure | None:
    """Estimated difference to the original in points; None where no curve is known.

    `anchor` is a measured state (its rows and its difference): then only what changed since is
    estimated.
    """
    if not known:
        return None
    total = -_total(facts, rows, known)
    if anchor is not None:
        total += anchor[1].value + _total(facts, anchor[0], known)
    return Figure(min(max(total, -100.0), 100.0), "pp", 0, ESTIMATED)


def _total(facts: Facts, rows: Sequence[Row], known: Mapping[str, Curve]) -> float:
    """Points lost over all groups; members of a group count by their weights."""
    sizes: dict[str, int] = {}
    for layer in facts.layers:
        name = layer.group or layer.name
        sizes[name] = sizes.get(name, 0) + layer.params
    total = 0.0
    for row in rows:
        layer = facts.by_name[row.layer]
        name = layer.group or layer.name
        if name in known:
            total += known[name].loss(row.bits, row.sparsity) * layer.params / max(sizes[name], 1)
    return total


def _rounding(bits: float) -> float:
    return 0.0 if bits >= FLOAT else float(4.0**-bits)


def _square(fraction: float) -> float:
    return fraction * fraction


def _between(points: Mapping[float, float], at: float, power: Callable[[float], float]) -> float:
    """The value at `at`, linear in `power`; behind the last point in proportion to it."""
    if at in points:
        return points[at]
    place = power(at)
    known = sorted((power(each), value) for each, value in points.items())
    for (low, first), (high, second) in pairwise(known):
        if low <= place <= high:
            return first + (second - first) * (place - low) / (high - low) if high > low else second
    last, value = known[-1]
    return value * place / last if last > 0 else value
