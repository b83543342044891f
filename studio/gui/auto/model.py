"""The recipes that were measured, as an item model: newest first, those that nothing beats are marked."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from studio.gui.auto.dots import Dot
from studio.gui.looks import fonts, numbers
from studio.gui.tables import ROW, Role, TableModel
from studio.gui.texts.texts import T
from studio.recipe.settings import Recipe

SORT = ROW + 1


class Column(IntEnum):
    LABEL = 0
    SIZE = 1
    DIFFERENCE = 2
    LATENCY = 3


class DotsModel(TableModel[Dot]):
    """The newest first; the row of the recipe of now stands out."""

    titles = (T.auto_recipe, T.column_bytes, T.auto_difference, T.latency)
    right = frozenset({Column.SIZE, Column.DIFFERENCE, Column.LATENCY})
    _here: Recipe | None = None

    def text(self, row: Dot, column: int) -> str:
        return text(row, Column(column))

    def tip(self, row: Dot) -> str:
        return tip(row)

    def more(self, row: Dot, column: int, role: int) -> Any:
        if role == SORT:
            return _sort_value(row, Column(column))
        if role == Role.FontRole:
            return fonts.strong() if row.recipe == self._here else fonts.font()
        return None

    def show_dots(self, dots: tuple[Dot, ...], here: Recipe | None) -> None:
        """Show these; `here` is the recipe of now."""
        self._here = here
        self.show_rows(tuple(reversed(dots)))


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
