"""Names and texts in two columns, the names standing back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from studio.gui.looks import fonts
from studio.gui.panel import label

Line = tuple[str, str]
_MOST = 24


class FactSheet(QWidget):
    """Shows as many lines as there are, from the top."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._cells: list[QLabel] = []
        self._grid = QGridLayout(self)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        self.setFixedWidth(width)

    @property
    def text(self) -> str:
        """The facts that it lists."""
        return "\n".join(cell.text() for cell in self._cells)

    def show_lines(self, lines: tuple[Line, ...]) -> None:
        """Show these instead."""
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._cells = []
        for row, (name, text) in enumerate(lines):
            value = label(text, pixels=12)
            value.setFont(fonts.medium(12))
            value.setWordWrap(True)
            for column, cell in enumerate((label(name, quiet=True, pixels=12), value)):
                cell.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(cell, row, column)
                self._cells.append(cell)
        for row in range(_MOST):
            self._grid.setRowStretch(row, int(row == len(lines)))
