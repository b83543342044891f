"""The release that the board keeps running: its health, and its log as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QFontDatabase, QHideEvent, QShowEvent
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from studio.gui.boards import words
from studio.gui.panel import label
from studio.gui.texts.texts import T

if TYPE_CHECKING:
    from studio.gui.boards.asking import Served

_EVERY_MS = 2000
_LOG_HEIGHT = 118


class ServedBox(QWidget):
    """Sends `wanted` to have the active release served, and `due` when its log should be asked for again."""

    wanted = Signal()
    due = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.running = False
        self._state = label(pixels=12)
        self._state.setWordWrap(True)
        self.button = QPushButton(T.board_serve)
        self.button.setToolTip(T.board_serve_tip)
        self.button.clicked.connect(self.wanted)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setFixedHeight(_LOG_HEIGHT)
        self.log.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.log.setAccessibleName(T.board_log)
        self._clock = QTimer(self)
        self._clock.setInterval(_EVERY_MS)
        self._clock.timeout.connect(self.due)
        self._arrange()
        self.show_served(None)

    def _arrange(self) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addWidget(label(T.board_served, strong=True, pixels=12))
        for each in (self._state, self.log, self.button):
            whole.addWidget(each)

    def show_served(self, served: Served | None) -> None:
        """What runs there; nothing at all where that is not known."""
        self.running = served is not None and served.serving.state == "running"
        self.setVisible(served is not None)
        self.button.setVisible(not self.running)
        if served is not None:
            self._state.setText(words.served_line(served.serving))
            self._show_log(served.log)
        self._pace()

    def _show_log(self, text: str) -> None:
        """New lines come into sight, unless the reader has scrolled up."""
        self.log.setVisible(bool(text))
        if text == self.log.toPlainText():
            return
        bar = self.log.verticalScrollBar()
        at, follows = bar.value(), bar.value() >= bar.maximum()
        self.log.setPlainText(text)
        bar.setValue(bar.maximum() if follows else at)

    def rest(self) -> None:
        """Ask no more: the board gave no answer."""
        self._clock.stop()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._pace()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()

    def _pace(self) -> None:
        if self.running and self.isVisible():
            self._clock.start()
        else:
            self._clock.stop()

    @property
    def text(self) -> str:
        """What it says, "" while nothing is known."""
        return "" if self.isHidden() else f"{self._state.text()}\n{self.log.toPlainText()}".strip()
