"""Item models as small text pictures: a line per row, cells joined by ` | `."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, Qt


def picture(model: QAbstractItemModel, columns: tuple[int, ...] = ()) -> str:
    """The head and every row of a flat model; `columns` picks some."""
    shown = columns or tuple(range(model.columnCount()))
    head = [str(model.headerData(column, Qt.Orientation.Horizontal)) for column in shown]
    rows = [[str(model.index(row, column).data()) for column in shown] for row in range(model.rowCount())]
    return "\n".join(" | ".join(line) for line in [head, *rows])
