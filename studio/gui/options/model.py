"""Options as an item model: the middle column is edited."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from studio.gui.options.table import OPTIONS, Option
from studio.gui.tables import Index, Role, TableModel
from studio.gui.texts.texts import T


class Column(IntEnum):
    TITLE = 0
    VALUE = 1
    ABOUT = 2


class OptionsModel(TableModel[Option]):
    """Tells `wanted` (the option, its new value); who keeps it shows it by `show_values`."""

    wanted = Signal(object, object)
    titles = (T.option, T.option_value, T.option_about)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows, self._values = OPTIONS, dict[str, Any]()

    def text(self, row: Option, column: int) -> str:
        if column == Column.VALUE:
            return row.show(self._values[row.key]) if row.key in self._values else ""
        return row.title if column == Column.TITLE else row.about

    def tip(self, row: Option) -> str:
        return f"{row.title}: {self.text(row, Column.VALUE)}\n{row.about}"

    def more(self, row: Option, column: int, role: int) -> Any:
        return self._values.get(row.key) if role == Role.EditRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        edited = index.isValid() and index.column() == Column.VALUE
        return super().flags(index) | (Qt.ItemFlag.ItemIsEditable if edited else Qt.ItemFlag.NoItemFlags)

    def setData(self, index: Index, value: Any, role: int = Role.EditRole) -> bool:
        if role != Role.EditRole or not index.isValid() or index.column() != Column.VALUE:
            return False
        option = OPTIONS[index.row()]
        if value != self._values.get(option.key):
            self.wanted.emit(option, value)
        return True

    def show_values(self, values: dict[str, Any]) -> None:
        """Show these: a value for each option by its key."""
        self._values = values
        self.dataChanged.emit(self.index(0, Column.VALUE), self.index(len(OPTIONS) - 1, Column.VALUE))
