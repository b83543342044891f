"""A panel: a title with a quiet remark, room for tools, and one body."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from studio.gui.looks import fonts


def label(text: str = "", quiet: bool = False, pixels: int = 13, strong: bool = False) -> QLabel:
    """A label of plain text; `quiet` ones stand back."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setFont(fonts.strong(pixels) if strong else fonts.font(pixels))
    if quiet:
        made.setObjectName("muted")
    return made


class Elided(QLabel):
    """A label that ends in … where it does not fit, and gives its room away first."""

    def __init__(
        self, pixels: int = 13, strong: bool = False, mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle
    ) -> None:
        super().__init__()
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(fonts.strong(pixels) if strong else fonts.font(pixels))
        self.setMinimumWidth(0)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's own name
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), self._mode, self.width())
        painter.drawText(self.rect(), self.alignment() | Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


class Panel(QFrame):
    """A framed room of the window."""

    def __init__(self, title: str, body: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAccessibleName(title)
        self.remark = label(quiet=True, pixels=12)
        self.remark.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.tools = QHBoxLayout()
        self.tools.setSpacing(4)
        head = QHBoxLayout()
        head.setContentsMargins(14, 10, 8, 8)
        head.setSpacing(8)
        head.addWidget(label(title, strong=True))
        head.addWidget(self.remark, 1)
        head.addLayout(self.tools)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 1, 1, 6)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addWidget(body, 1)

    def say(self, text: str) -> None:
        """Set the remark beside the title."""
        self.remark.setText(text)
        self.remark.setToolTip(text)
