"""The recipes that were measured, as an item model: newest first, those that nothing beats are marked."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from studio.gui import fonts, numbers
from studio.gui.auto.dots import Dot
from studio.gui.texts import T
from studio.recipe.settings import Recipe

Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
DOT = _Role.UserRole + 1
SORT = _Role.UserRole + 2


class Column(IntEnum):
    LABEL = 0
    SIZE = 1
    DIFFERENCE = 2
    LATENCY = 3


_TITLES = (T.auto_recipe, T.column_bytes, T.auto_difference, T.latency)


class DotsModel(QAbstractTableModel):
    """`here` is the recipe of now; its row stands out."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._dots: tuple[Dot, ...] = ()
        self._here: Recipe | None = None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._dots)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == _Role.DisplayRole:
            return _TITLES[section]
        if role == _Role.TextAlignmentRole:
            return int(_alignment(Column(section)))
        return None

    def data(self, index: Index, role: int = _Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        dot, column = self._dots[index.row()], Column(index.column())
        if role == _Role.DisplayRole:
            return text(dot, column)
        if role == SORT:
            return _sort_value(dot, column)
        if role == DOT:
            return dot
        if role in (_Role.ToolTipRole, _Role.AccessibleTextRole):
            return tip(dot)
        if role == _Role.TextAlignmentRole:
            return int(_alignment(column))
        return self._font(dot) if role == _Role.FontRole else None

    def _font(self, dot: Dot) -> QFont:
        return fonts.strong() if dot.recipe == self._here else fonts.font()

    def show_dots(self, dots: tuple[Dot, ...], here: Recipe | None) -> None:
        """Show these, the newest first."""
        self.beginResetModel()
        self._dots, self._here = tuple(reversed(dots)), here
        self.endResetModel()


def text(dot: Dot, column: Column) -> str:
    """The text of a cell."""
    if column == Column.LABEL:
        return f"★ {dot.label}" if dot.front else dot.label
    if column == Column.SIZE:
        return numbers.size(dot.bytes)
    if column == Column.DIFFERENCE:
        return f"{numbers.signed(dot.difference.value, 2)} {numbers.interval(dot.difference)}".rstrip()
    return "–" if dot.latency is None else f"{dot.latency:.3g} ms"


def tip(dot: Dot) -> str:
    """Everything about a dot in a few lines."""
    figure = dot.difference
    lines = [
        dot.label,
        f"{numbers.size(dot.bytes)}  ·  {numbers.value(figure)} {numbers.interval(figure)}",
        T.plot_under.format(source=figure.source, n=figure.n),
        *([T.auto_front] if dot.front else []),
        T.auto_go,
    ]
    return "\n".join(lines)


def _sort_value(dot: Dot, column: Column) -> Any:
    values = (dot.label, dot.bytes, dot.difference.value, dot.latency or float("inf"))
    return values[column]


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column == Column.LABEL else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
