"""Latency on a board by arithmetic, within a frame of a slider's move: the sum of what its layers take.

Borders between float and integer layers cost what stands at them. The whole net was measured twice, as it is
and at 8 bits; between the two, what its layers miss is shared out by how many layers run on integers. Where
they miss time (ops that are no layers, the runtime's own work), it is added, whatever the layers' size. Where
they tell too much (a layer alone is watched by the profiler and finds its caches cold), each tells too much:
then the sum is scaled, or the fewer channels are left, the more of them would seem to cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from studio import estimate
from studio.graph.model import Facts
from studio.layer_times import DYNAMIC, FLOAT, INT8, LayerTable
from studio.metrics import Figure, from_board
from studio.recipe.resolve import LayerPlan, Plan

# Less than that is what one measurement of a layer differs from the next.
_SURE_MS, _SURE_RATIO = 0.005, 1.05


@dataclass(frozen=True, slots=True)
class LayerTimes:
    """One whole layer's kernel on the board, in ms: on floats and on integers; None where not known."""

    layer: str
    float_ms: float | None
    int8_ms: float | None

    @property
    def loses(self) -> bool:
        """Whether integers are slower than floats here, by more than measurements differ."""
        if self.float_ms is None or self.int8_ms is None:
            return False
        return self.int8_ms > max(self.float_ms + _SURE_MS, self.float_ms * _SURE_RATIO)


def latency(facts: Facts, plan: Plan, table: LayerTable) -> Figure | None:
    """Milliseconds at batch 1 of the file that `plan` comes to, on the table's board; None where the table is
    of another net or the whole net was not measured. Layers of unknown time count as part of the rest.
    """
    if table.model != facts.key or not table.float_ms:
        return None
    share = integer_layers(plan) / table.int8_layers if table.int8_layers else 0.0
    whole, rest = (
        one + (other - one) * min(share, 1.0)
        for one, other in ((table.float_ms, table.int8_ms), (table.float_rest, table.int8_rest))
    )
    told = layers_sum(facts, plan, table)
    total = told + rest if rest >= 0 else told * whole / (whole - rest)
    return Figure(total, "ms", 0, from_board(table.board))


def layer_times(table: LayerTable) -> tuple[LayerTimes, ...]:
    """Every layer as it would run whole, either way; the kernel alone, without borders."""
    found = []
    for line in table.layers:
        ways = [line.cost(kind) for kind in (FLOAT, INT8)]
        found.append(LayerTimes(line.layer, *(None if way is None else way.core for way in ways)))
    return tuple(found)


def anchored(
    table: LayerTable, facts: Facts, plain: Plan, integer: Plan | None, float_ms: float, int8_ms: float
) -> LayerTable:
    """The table with whole nets that were measured: that of the plan `plain`, and that of `integer`."""
    float_rest = float_ms - layers_sum(facts, plain, table)
    if integer is None or not int8_ms:
        return replace(table, float_ms=float_ms, float_rest=float_rest, int8_rest=float_rest)
    return replace(
        table,
        float_ms=float_ms,
        int8_ms=int8_ms,
        float_rest=float_rest,
        int8_rest=int8_ms - layers_sum(facts, integer, table),
        int8_layers=integer_layers(integer),
    )


def integer_layers(plan: Plan) -> int:
    """How many layers run on integers."""
    return sum(kind_of(row) != FLOAT for row in plan.layers)


def kind_of(row: LayerPlan) -> str:
    """As what a planned layer runs: weights below 8 bits are unpacked at load and run at 8 bits' speed."""
    if row.dynamic:
        return DYNAMIC
    return INT8 if row.activations <= 8 else FLOAT


def layers_sum(facts: Facts, plan: Plan, table: LayerTable) -> float:
    """Milliseconds of all layers with what stands at their borders."""
    rows = {row.layer: row for row in plan.layers}
    left = estimate.widths(facts, rows)
    kinds = {name: kind_of(row) for name, row in rows.items()}
    total = 0.0
    for line in table.layers:
        kind = kinds[line.layer]
        cost = line.cost(kind, left[line.layer].share)
        if cost is not None:
            total += cost.core
            total += cost.entry if _differs(line.before, kinds, kind) else 0.0
            total += cost.exit if _differs(line.behind, kinds, kind) else 0.0
    return total


def _differs(others: Sequence[str], kinds: Mapping[str, str], kind: str) -> bool:
    """Whether values change their form at this border: always at the net's own ends, whose layout is plain,
    never between layers of one kind. A layer that finds its ranges reads and gives floats.
    """
    outside = {kinds.get(name, "") for name in others}
    return bool(outside - {kind}) or kind == DYNAMIC
