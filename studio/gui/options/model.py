"""Options as an item model: the middle column is edited."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from studio.gui.options.table import OPTIONS, Option
from studio.gui.texts import T

Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
OPTION = _Role.UserRole + 1


class Column(IntEnum):
    TITLE = 0
    VALUE = 1
    ABOUT = 2


_TITLES = (T.option, T.option_value, T.option_about)


class OptionsModel(QAbstractTableModel):
    """Tells `wanted` (the option, its new value); who keeps it shows it by `show_values`."""

    wanted = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._values: dict[str, Any] = {}

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(OPTIONS)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == _Role.DisplayRole:
            return _TITLES[section]
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return int(left) if role == _Role.TextAlignmentRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        edited = index.isValid() and index.column() == Column.VALUE
        return super().flags(index) | (Qt.ItemFlag.ItemIsEditable if edited else Qt.ItemFlag.NoItemFlags)

    def data(self, index: Index, role: int = _Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        option = OPTIONS[index.row()]
        if role == _Role.DisplayRole:
            return self._text(option, Column(index.column()))
        if role in (_Role.ToolTipRole, _Role.AccessibleTextRole):
            return f"{option.title}: {self._text(option, Column.VALUE)}\n{option.about}"
        if role == _Role.EditRole:
            return self._values.get(option.key)
        return option if role == OPTION else None

    def setData(self, index: Index, value: Any, role: int = _Role.EditRole) -> bool:
        if role != _Role.EditRole or not index.isValid() or index.column() != Column.VALUE:
            return False
        option = OPTIONS[index.row()]
        if value != self._values.get(option.key):
            self.wanted.emit(option, value)
        return True

    def show_values(self, values: dict[str, Any]) -> None:
        """Show these: a value for each option by its key."""
        self._values = values
        self.dataChanged.emit(self.index(0, Column.VALUE), self.index(len(OPTIONS) - 1, Column.VALUE))

    def _text(self, option: Option, column: Column) -> str:
        if column == Column.VALUE:
            return option.show(self._values[option.key]) if option.key in self._values else ""
        return option.title if column == Column.TITLE else option.about
