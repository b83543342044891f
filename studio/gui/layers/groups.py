"""Layers under one scope as a row of their own: sums, and the worst of what cannot be added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from studio.gui.layers.model import Column, times_text
from studio.gui.layers.rows import Row
from studio.gui.layers.words import width_name
from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.metrics import Sensitivity
from studio.predict import LayerTimes


@dataclass(frozen=True, slots=True)
class Group:
    """The layers `rows` of the scope `name`, in graph order; `open` where they are listed below it."""

    name: str
    rows: tuple[Row, ...]
    open: bool = True

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows)

    @property
    def params(self) -> int:
        return sum(row.params for row in self.rows)

    @property
    def before(self) -> int:
        return sum(row.before for row in self.rows)

    @property
    def after(self) -> int:
        return sum(row.after for row in self.rows)

    @property
    def real(self) -> bool:
        return all(row.real for row in self.rows)

    @property
    def bits(self) -> tuple[int, int]:
        """The narrowest and the widest."""
        each = [row.bits for row in self.rows]
        return min(each), max(each)

    @property
    def sparsity(self) -> float:
        """The share of all its weights."""
        return sum(row.sparsity * row.params for row in self.rows) / max(self.params, 1)

    @property
    def effect(self) -> Sensitivity | None:
        """The largest loss of one member alone: single effects do not add up."""
        known = [row.effect for row in self.rows if row.effect is not None]
        return min(known, key=lambda each: each.difference.value, default=None)

    @property
    def sqnr_db(self) -> float | None:
        """That of the noisiest member."""
        return min((row.sqnr_db for row in self.rows if row.sqnr_db is not None), default=None)

    @property
    def times(self) -> LayerTimes | None:
        """The sum, where every member was timed."""
        each = [row.times for row in self.rows if row.times is not None]
        if len(each) < len(self.rows):
            return None
        plain, eight = [one.float_ms for one in each], [one.int8_ms for one in each]
        return LayerTimes(self.name, _sum(plain), _sum(eight))


def _sum(values: Iterable[float | None]) -> float | None:
    each = list(values)
    return None if None in each else sum(value for value in each if value is not None)


def assigned(rows: Sequence[Row]) -> dict[str, str]:
    """Layer → scope: the innermost one that holds two layers at least; layers without one are left out."""
    counts = Counter(row.scope[:depth] for row in rows for depth in range(1, len(row.scope) + 1))
    found = {}
    for row in rows:
        depths = range(len(row.scope), 0, -1)
        scope = next((row.scope[:depth] for depth in depths if counts[row.scope[:depth]] > 1), ())
        if scope:
            found[row.name] = "/".join(scope)
    return found


def text(group: Group, column: Column) -> str:
    """The text of a cell in its row."""
    if column == Column.NAME:
        return f"{'▾' if group.open else '▸'} {group.name} ({len(group.rows)})"
    if column == Column.PARAMS:
        return numbers.count(group.params)
    if column == Column.BYTES:
        return f"{numbers.size(group.before)} → {numbers.size(group.after)}"
    if column == Column.BITS:
        return width(group)
    if column == Column.SPARSITY:
        return numbers.percent(group.sparsity)
    if column == Column.SQNR:
        return "" if group.sqnr_db is None else f"{group.sqnr_db:.1f}"
    if column == Column.TIME:
        return times_text(group.times)
    if column == Column.EFFECT and group.effect is not None:
        return numbers.value(group.effect.difference)
    return ""


def width(group: Group) -> str:
    """INT8, or INT4–INT8 where they differ."""
    low, high = group.bits
    return width_name(low) if low == high else f"{width_name(low)}–{width_name(high)}"


def spoken(group: Group) -> str:
    """What a screen reader says of its name."""
    said = T.group_open if group.open else T.group_shut
    return said.format(name=group.name, n=len(group.rows))
