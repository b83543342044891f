"""Where the sliders of the layer table lie, and which value a point on them means."""

from __future__ import annotations

from PySide6.QtCore import QRectF

from studio.gui.layers.model import Column
from studio.gui.layers.rows import Row
from studio.recipe.settings import MAX_SPARSITY

PAD = 14.0
LABEL = 62.0
COARSE = 0.05
FINE = 0.01


def track(cell: QRectF) -> QRectF:
    """The slider's line inside its cell: the label keeps its place on the right."""
    return cell.adjusted(PAD, 0, -LABEL - PAD, 0)


def position(row: Row, column: Column) -> float:
    """Where the handle is, 0 (as the original) to 1 (least)."""
    if column == Column.SPARSITY:
        return min(row.sparsity / MAX_SPARSITY, 1.0)
    if len(row.stops) < 2:
        return 0.0
    return _nearest(row.stops, row.bits) / (len(row.stops) - 1)


def movable(row: Row, column: Column) -> bool:
    """Whether this slider has more than one place to be."""
    if row.locked:
        return False
    return row.sparse if column == Column.SPARSITY else len(row.stops) > 1


def current(row: Row, column: Column) -> float:
    """The value of this slider now."""
    return row.bits if column == Column.BITS else row.sparsity


def value_at(row: Row, column: Column, cell: QRectF, x: float, fine: bool = False) -> float:
    """The value under `x`: a width of the stops, or a sparsity in steps of 5 % (`fine`: 1 %)."""
    line = track(cell)
    share = min(max((x - line.left()) / max(line.width(), 1.0), 0.0), 1.0)
    if column == Column.BITS:
        return row.stops[round(share * (len(row.stops) - 1))]
    grid = FINE if fine else COARSE
    return round(min(round(share * MAX_SPARSITY / grid) * grid, MAX_SPARSITY), 2)


def stepped(row: Row, column: Column, steps: int, fine: bool = False) -> float:
    """The value `steps` to the right (less of the network) of the present one."""
    if column == Column.BITS:
        place = _nearest(row.stops, row.bits) + steps
        return row.stops[min(max(place, 0), len(row.stops) - 1)]
    grid = FINE if fine else COARSE
    return round(min(max(row.sparsity + steps * grid, 0.0), MAX_SPARSITY), 2)


def _nearest(stops: tuple[int, ...], bits: int) -> int:
    return min(range(len(stops)), key=lambda place: abs(stops[place] - bits))
