"""Between the layers and their table: which lines are shown, in which order, under which heads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractProxyModel, QModelIndex, QObject, Qt

from studio.gui.layers import groups, order
from studio.gui.layers.groups import Group
from studio.gui.layers.model import ROW, Column, Index, LayersModel, alignment
from studio.gui.layers.order import Line, Wish

_Role = Qt.ItemDataRole


class LayersProxy(QAbstractProxyModel):
    """Sorts once when asked: a row must not jump away under the hand that slides it.

    Heads of scopes are lines without a layer behind them; `ROW` of them is a `Group`. `scopes` holds the
    scope of each layer that has one.
    """

    def __init__(self, source: LayersModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.source, self.wish = source, Wish()
        self._lines: list[Line] = []
        self._at: dict[Line, int] = {}
        self._groups: dict[str, Group] = {}
        self.scopes: dict[str, str] = {}
        self._members: dict[str, list[int]] = {}
        self.setSourceModel(source)
        source.modelAboutToBeReset.connect(self.beginResetModel)
        source.modelReset.connect(self._reset)
        source.dataChanged.connect(self._changed)

    # What is shown.

    @property
    def found(self) -> int:
        """How many layers the search left, listed or behind a head that is shut."""
        return order.count(self.source.rows, self.wish)

    def find(self, text: str) -> None:
        """Show only layers that hold every word of `text`."""
        self._arrange(replace(self.wish, words=tuple(text.lower().split())))

    def sort(self, column: int, how: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By raw values, heads by their sums; column -1: as in the graph."""
        by = Column(column) if column >= 0 else None
        self._arrange(replace(self.wish, column=by, falling=how == Qt.SortOrder.DescendingOrder))

    def group(self, on: bool) -> None:
        """Whether layers stand under the scopes that they belong to."""
        self._arrange(replace(self.wish, grouped=on))

    def open(self, name: str, on: bool) -> None:
        """List the layers of a scope below its head, or not."""
        shut = self.wish.shut - {name} if on else self.wish.shut | {name}
        self._arrange(replace(self.wish, shut=shut))

    def show_layers(self, names: tuple[str, ...]) -> None:
        """Open the scopes of these layers where they are shut."""
        self._arrange(replace(self.wish, shut=self.wish.shut - {self.scopes.get(name) for name in names}))

    def _arrange(self, wish: Wish) -> None:
        """Take a new order; what is selected stays so where it is still shown."""
        if wish == self.wish:
            return
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        keys = [self._lines[each.row()] for each in old]
        self.wish = wish
        self._work_out()
        fresh = [
            self.index(self._at[key], each.column()) if key in self._at else QModelIndex()
            for key, each in zip(keys, old, strict=True)
        ]
        self.changePersistentIndexList(old, fresh)
        self.layoutChanged.emit()

    def _reset(self) -> None:
        self.scopes = groups.assigned(self.source.rows)
        self._members = {}
        for place, row in enumerate(self.source.rows):
            self._members.setdefault(self.scopes.get(row.name, ""), []).append(place)
        self._work_out()
        self.endResetModel()

    def _work_out(self) -> None:
        self._lines = order.lines(self.source.rows, self.scopes, self.wish)
        self._at = {line: row for row, line in enumerate(self._lines)}
        self._groups = {}

    def _changed(self, first: QModelIndex, last: QModelIndex) -> None:
        """Figures of some layers are others: their lines, and the heads above, are drawn again."""
        changed = range(first.row(), last.row() + 1)
        lines = [self._at[place] for place in changed if place in self._at]
        if self.wish.grouped:
            self._groups = {}
            lines += [row for line, row in self._at.items() if isinstance(line, str)]
        if lines:
            end = self.columnCount() - 1
            self.dataChanged.emit(self.index(min(lines), 0), self.index(max(lines), end))

    def head(self, name: str) -> Group:
        """The scope of this name with the figures of now."""
        if name not in self._groups:
            rows = tuple(self.source.row(place) for place in self._members[name])
            self._groups[name] = Group(name, rows, name not in self.wish.shut or bool(self.wish.words))
        return self._groups[name]

    # What Qt asks.

    def mapToSource(self, index: Index) -> QModelIndex:  # noqa: N802 - Qt's own name
        line = self._lines[index.row()] if index.isValid() else ""
        return self.source.index(line, index.column()) if isinstance(line, int) else QModelIndex()

    def mapFromSource(self, index: Index) -> QModelIndex:  # noqa: N802 - Qt's own name
        row = self._at.get(index.row()) if index.isValid() else None
        return QModelIndex() if row is None else self.index(row, index.column())

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        return self.createIndex(row, column) if self.hasIndex(row, column, parent) else QModelIndex()

    def parent(self, index: Index = QModelIndex()) -> Any:  # noqa: B008 - Qt's own signature
        return QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        return self.source.headerData(section, orientation, role)

    def flags(self, index: Index) -> Qt.ItemFlag:
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = _Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        line, column = self._lines[index.row()], Column(index.column())
        if isinstance(line, int):
            return self.source.data(self.source.index(line, column), role)
        group = self.head(line)
        if role == ROW:
            return group
        if role == _Role.DisplayRole:
            return groups.text(group, column)
        if role == _Role.AccessibleTextRole:
            return groups.spoken(group) if column == Column.NAME else groups.text(group, column)
        return int(alignment(column)) if role == _Role.TextAlignmentRole else None
