"""Work that was not saved, offered on the start page: take it up again, or throw it away."""

from __future__ import annotations

import shutil
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from studio.gui.panel import label
from studio.gui.texts.texts import T
from studio.project.recovery import Lost


class LostWork(QFrame):
    """A row per snapshot. `wanted` carries the path of the one to open."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(6)
        self.hide()

    def show_lost(self, found: tuple[Lost, ...]) -> None:
        """Offer these."""
        while (item := self._rows.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for each in found:
            self._rows.addWidget(self._row(each))
        self.setVisible(bool(found))

    def _row(self, lost: Lost) -> QFrame:
        made = QFrame()
        made.setObjectName("lost")
        row = QHBoxLayout(made)
        row.setContentsMargins(14, 6, 8, 6)
        when = datetime.fromtimestamp(lost.when).strftime("%Y-%m-%d %H:%M")
        text = T.lost_work.format(model=lost.model, n=lost.steps, when=when)
        row.addWidget(label(text), 1)
        take, drop = QPushButton(T.lost_take), QPushButton(T.lost_drop)
        for button in (take, drop):
            button.setAccessibleName(f"{button.text()}: {text}")
            row.addWidget(button)
        take.clicked.connect(lambda: self._take(lost))
        drop.clicked.connect(lambda: self._drop(lost, made))
        return made

    def _take(self, lost: Lost) -> None:
        self.wanted.emit(str(lost.path))

    def _drop(self, lost: Lost, row: QFrame) -> None:
        shutil.rmtree(lost.path, ignore_errors=True)
        row.hide()
