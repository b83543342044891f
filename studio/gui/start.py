"""The empty window: a drop zone, the sample, what was open lately."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from studio.gui import fonts, icons
from studio.gui.panel import label
from studio.gui.texts import T
from studio.gui.theme import Look

_WIDTH = 640


class DropZone(QWidget):
    """A place to drop on; a click opens the file dialog."""

    clicked = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look, self._over = look, False
        self.setFixedSize(_WIDTH, 250)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(T.start_title)
        look.changed.connect(self.update)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover(True)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(False)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()

    def _hover(self, over: bool) -> None:
        self._over = over
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self._look.theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lit = self._over or self.hasFocus()
        pen = QPen(QColor(theme.accent_text if lit else theme.line_strong), 1.6, Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.setBrush(QColor(theme.accent_soft if lit else theme.surface))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 16, 16)
        self._network(painter)
        painter.setPen(QColor(theme.text))
        painter.setFont(fonts.strong(19))
        centre = Qt.AlignmentFlag.AlignCenter
        painter.drawText(QRectF(0, 150, _WIDTH, 30), centre, T.start_title)
        painter.setPen(QColor(theme.muted))
        painter.setFont(fonts.font(13))
        painter.drawText(QRectF(20, 184, _WIDTH - 40, 24), centre, T.start_text)
        painter.end()

    def _network(self, painter: QPainter) -> None:
        """A small network that grows thinner to the right: what the program is about."""
        theme, y = self._look.theme, 88.0
        heights = (84, 66, 50, 38, 30, 26)
        left = _WIDTH / 2 - 145.0
        colours = [theme.op(kind) for kind in ("conv", "norm", "activation", "linear", "pool", "conv")]
        painter.setPen(QPen(QColor(theme.line_strong), 1.5))
        painter.drawLine(QPointF(left, y), QPointF(left + 290, y))
        for place, (height, colour) in enumerate(zip(heights, colours, strict=True)):
            box = QRectF(left + place * 52, y - height / 2, 30, height)
            painter.setPen(QPen(QColor(colour), 1.6))
            painter.setBrush(QColor(theme.raised))
            painter.drawRoundedRect(box, 6, 6)


class Recent(QFrame):
    """The models that were open lately, newest first."""

    picked = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.setFixedWidth(_WIDTH)
        self._list = QVBoxLayout(self)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(2)

    def show_paths(self, paths: tuple[Path, ...]) -> None:
        """List these files."""
        while (item := self._list.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        self._list.addWidget(label(T.start_recent, strong=True))
        if not paths:
            self._list.addWidget(label(T.start_no_recent, quiet=True))
        for path in paths[:5]:
            self._list.addWidget(self._entry(path))

    def _entry(self, path: Path) -> QPushButton:
        made = QPushButton(self)
        made.setObjectName("entry")
        made.setAccessibleName(str(path))
        made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        made.setFixedHeight(38)
        row = QHBoxLayout(made)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(10)
        mark = QLabel()
        mark.setPixmap(icons.pixmap("model", self._look.theme.muted, 18, self.devicePixelRatioF()))
        row.addWidget(mark)
        name, where = label(path.name), label(quiet=True, pixels=12)
        name.setFont(fonts.medium())
        where.setText(_elided(str(path.parent), where, 330))
        row.addWidget(name)
        row.addStretch(1)
        row.addWidget(where)
        made.clicked.connect(lambda: self.picked.emit(str(path)))
        return made


class StartView(QWidget):
    """What the window shows before a model is open."""

    open_wanted = Signal()
    sample_wanted = Signal()
    recent_wanted = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.zone, self.recent = DropZone(look), Recent(look)
        self._open, self._sample = QPushButton(T.start_open), QPushButton(T.start_sample)
        self._open.setObjectName("primary")
        self.zone.clicked.connect(self.open_wanted)
        self._open.clicked.connect(self.open_wanted)
        self._sample.clicked.connect(self.sample_wanted)
        self.recent.picked.connect(self.recent_wanted)
        self._arrange()

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addWidget(self._open)
        buttons.addWidget(self._sample)
        buttons.addStretch(1)
        buttons.addWidget(label(T.start_promise, quiet=True, pixels=12))
        middle = QVBoxLayout()
        middle.setSpacing(18)
        middle.addStretch(2)
        middle.addWidget(self.zone)
        middle.addLayout(buttons)
        middle.addSpacing(8)
        middle.addWidget(self.recent)
        middle.addStretch(3)
        whole = QHBoxLayout(self)
        whole.addStretch(1)
        whole.addLayout(middle)
        whole.addStretch(1)


def _elided(text: str, where: QLabel, width: int) -> str:
    return where.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, width)
