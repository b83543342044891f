"""What runs on the chosen board now: how far it is, at what rate, and how long it will still take."""

from __future__ import annotations

from time import monotonic

from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from studio.gui.jobs.rows import left, left_text
from studio.gui.panel import label
from studio.gui.texts.texts import T
from studio.jobs import Advance


class JobBox(QWidget):
    """A bar and a line; hidden while nothing runs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._began = 0.0
        self.bar, self._text = QProgressBar(), label(quiet=True, pixels=12)
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(T.board_progress)
        self._text.setWordWrap(True)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        whole.addWidget(self.bar)
        whole.addWidget(self._text)
        self.hide()

    def begin(self, label: str) -> None:
        """A job was started."""
        self._began = monotonic()
        self.bar.setValue(0)
        self._text.setText(label)
        self.show()

    def advance(self, advance: Advance) -> None:
        """It is further: say so, and when it will be done at this pace."""
        self.bar.setValue(round(advance.fraction * 1000))
        self._text.setText("  ·  ".join(filter(None, (advance.text, self._left(advance.fraction)))))

    def end(self) -> None:
        self.hide()

    @property
    def text(self) -> str:
        """What it says, "" while nothing runs."""
        return "" if self.isHidden() else self._text.text()

    def _left(self, fraction: float) -> str:
        seconds = left(monotonic() - self._began, fraction)
        return "" if seconds is None else left_text(seconds)
