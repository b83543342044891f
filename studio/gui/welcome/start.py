"""The empty window: a drop zone, the sample, what was open lately."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from studio.gui.looks import fonts
from studio.gui.looks.theme import Look
from studio.gui.panel import Elided
from studio.gui.texts.texts import T
from studio.gui.welcome.lost import LostWork
from studio.gui.welcome.recent import Recent

_WIDTH, _NARROW = 640, 460


class DropZone(QWidget):
    """A place to drop on; a click opens the file dialog."""

    clicked = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look, self._over = look, False
        self.setFixedHeight(250)
        self.setMinimumWidth(_NARROW)
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
        painter.drawText(QRectF(0, 150, self.width(), 30), centre, T.start_title)
        painter.setPen(QColor(theme.muted))
        painter.setFont(fonts.font(13))
        painter.drawText(QRectF(20, 184, self.width() - 40, 24), centre, T.start_text)
        painter.end()

    def _network(self, painter: QPainter) -> None:
        """A small network that grows thinner to the right: what the program is about."""
        theme, y = self._look.theme, 88.0
        heights = (84, 66, 50, 38, 30, 26)
        left = self.width() / 2 - 145.0
        colours = [theme.op(kind) for kind in ("conv", "norm", "activation", "linear", "pool", "conv")]
        painter.setPen(QPen(QColor(theme.line_strong), 1.5))
        painter.drawLine(QPointF(left, y), QPointF(left + 290, y))
        for place, (height, colour) in enumerate(zip(heights, colours, strict=True)):
            box = QRectF(left + place * 52, y - height / 2, 30, height)
            painter.setPen(QPen(QColor(colour), 1.6))
            painter.setBrush(QColor(theme.raised))
            painter.drawRoundedRect(box, 6, 6)


class StartView(QWidget):
    """What the window shows before a model is open."""

    open_wanted = Signal()
    sample_wanted = Signal()
    board_wanted = Signal()
    recent_wanted = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.zone, self.recent, self.lost = DropZone(look), Recent(look), LostWork()
        self._open, self._sample = QPushButton(T.start_open), QPushButton(T.start_sample)
        self._board = QPushButton(T.open_board)
        self._open.setObjectName("primary")
        self.zone.clicked.connect(self.open_wanted)
        self._open.clicked.connect(self.open_wanted)
        self._sample.clicked.connect(self.sample_wanted)
        self._board.clicked.connect(self.board_wanted)
        self.recent.picked.connect(self.recent_wanted)
        self._arrange()

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        for button in (self._open, self._board, self._sample):
            buttons.addWidget(button)
        promise = Elided(pixels=12, mode=Qt.TextElideMode.ElideRight)
        promise.setText(T.start_promise)
        promise.setObjectName("muted")
        promise.setAlignment(Qt.AlignmentFlag.AlignRight)
        buttons.addWidget(promise, 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(self._page(buttons))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)

    def _page(self, buttons: QHBoxLayout) -> QWidget:
        """Everything in the middle, no wider than it reads well."""
        column = QWidget()
        column.setMaximumWidth(_WIDTH)
        middle = QVBoxLayout(column)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(18)
        middle.addStretch(2)
        middle.addWidget(self.lost)
        middle.addWidget(self.zone)
        middle.addLayout(buttons)
        middle.addSpacing(8)
        middle.addWidget(self.recent)
        middle.addStretch(3)
        page = QWidget()
        page.setObjectName("plain")
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(column, 1000)
        row.addStretch(1)
        return page
