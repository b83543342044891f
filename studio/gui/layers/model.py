"""The item model of the layer table. Cells that are being dragged hold their value against echoes."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import replace
from enum import IntEnum
from itertools import groupby
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from studio.gui.layers.rows import Row
from studio.gui.layers.words import access, milliseconds, tip, width_name
from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.predict import LayerTimes

if TYPE_CHECKING:
    from studio.gui.layers.groups import Group

Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
ROW = _Role.UserRole + 1


class Column(IntEnum):
    NAME = 0
    OP = 1
    PARAMS = 2
    BYTES = 3
    BITS = 4
    SPARSITY = 5
    EFFECT = 6
    SQNR = 7
    TIME = 8


_TITLES = {
    Column.NAME: T.column_name,
    Column.OP: T.column_op,
    Column.PARAMS: T.column_params,
    Column.BYTES: T.column_bytes,
    Column.BITS: T.column_bits,
    Column.SPARSITY: T.column_sparsity,
    Column.EFFECT: T.column_effect,
    Column.SQNR: T.column_sqnr,
    Column.TIME: T.column_time,
}


class LayersModel(QAbstractTableModel):
    """Rows in graph order. `hold` shows a wish at once; `let_go` gives the cells back to the engine."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()
        self._places: dict[str, int] = {}
        self._held: dict[str, dict[str, Any]] = {}

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == _Role.DisplayRole:
            return _TITLES[Column(section)]
        if role == _Role.TextAlignmentRole:
            return int(alignment(Column(section)))
        return None

    def data(self, index: Index, role: int = _Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = self.row(index.row()), Column(index.column())
        if role == ROW:
            return row
        if role == _Role.DisplayRole:
            return display(row, column)
        if role == _Role.ToolTipRole:
            return tip(row, column.name)
        if role == _Role.AccessibleTextRole:
            return access(row, column.name) or display(row, column)
        if role == _Role.TextAlignmentRole:
            return int(alignment(column))
        return None

    def row(self, place: int) -> Row:
        """The row as it is shown: with what the user's hand holds laid over it."""
        row = self._rows[place]
        held = self._held.get(row.name)
        return replace(row, **held) if held else row

    def place(self, name: str) -> int | None:
        """Where the layer `name` is."""
        return self._places.get(name)

    def find(self, names: Iterable[str]) -> tuple[Row, ...]:
        """The rows of these layers, as they are shown; unknown names are left out."""
        return tuple(self.row(place) for name in names if (place := self.place(name)) is not None)

    @property
    def rows(self) -> tuple[Row, ...]:
        return self._rows

    def set_rows(self, fresh: tuple[Row, ...]) -> None:
        """Take new rows; with the same layers only the changed ones are drawn again."""
        if [row.name for row in fresh] != [row.name for row in self._rows]:
            self.beginResetModel()
            self._rows, self._held = fresh, {}
            self._places = {row.name: place for place, row in enumerate(fresh)}
            self.endResetModel()
            return
        old, self._rows = self._rows, fresh
        changed = [place for place, pair in enumerate(zip(old, fresh, strict=True)) if operator.ne(*pair)]
        for _, run in groupby(enumerate(changed), lambda each: each[1] - each[0]):
            places = [place for _, place in run]
            self._changed(places[0], places[-1])

    def hold(self, names: Iterable[str], **values: Any) -> None:
        """Show `values` (fields of Row) in these layers, whatever the engine answers meanwhile."""
        for name in names:
            self._held[name] = {**self._held.get(name, {}), **values}
            self._changed(*[self._places[name]] * 2)

    def let_go(self) -> None:
        """Show what the engine says again."""
        held, self._held = self._held, {}
        for name in held:
            if name in self._places:
                self._changed(*[self._places[name]] * 2)

    def _changed(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(Column) - 1))


def display(row: Row, column: Column) -> str:
    """The text of a cell; delegates paint sliders over some of them."""
    if column == Column.NAME:
        return row.name
    if column == Column.OP:
        return row.op
    if column == Column.PARAMS:
        return numbers.count(row.params)
    if column == Column.BYTES:
        return f"{numbers.size(row.before)} → {numbers.size(row.after)}"
    if column == Column.BITS:
        return width_name(row.bits)
    if column == Column.SPARSITY:
        return numbers.percent(row.sparsity)
    if column == Column.SQNR:
        return "" if row.sqnr_db is None else f"{row.sqnr_db:.1f}"
    if column == Column.TIME:
        return times_text(row.times)
    return numbers.value(row.effect.difference) if row.effect else ""


def times_text(times: LayerTimes | None) -> str:
    """As float and at 8 bits; a sign where 8 bits are slower."""
    if times is None:
        return ""
    sign = " ⚠" if times.loses else ""
    return f"{milliseconds(times.float_ms)} → {milliseconds(times.int8_ms)}{sign}"


def sort_value(row: Row | Group, column: Column) -> Any:
    """What the column is sorted by."""
    if column == Column.EFFECT:
        return row.effect.difference.value if row.effect else 0.0
    if column == Column.SQNR:
        return float("inf") if row.sqnr_db is None else row.sqnr_db
    if column == Column.TIME:
        return (row.times.float_ms if row.times else None) or 0.0
    if column == Column.OP:
        return row.op if isinstance(row, Row) else ""
    bits = row.bits if isinstance(row, Row) else row.bits[0]
    values = (row.name, "", row.params, row.after, bits, row.sparsity)
    return values[column]


def alignment(column: Column) -> Qt.AlignmentFlag:
    """Where the text of the column stands."""
    sides = {
        Column.PARAMS: Qt.AlignmentFlag.AlignRight,
        Column.EFFECT: Qt.AlignmentFlag.AlignRight,
        Column.SQNR: Qt.AlignmentFlag.AlignRight,
        Column.BYTES: Qt.AlignmentFlag.AlignHCenter,
        Column.TIME: Qt.AlignmentFlag.AlignHCenter,
    }
    return sides.get(column, Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter
