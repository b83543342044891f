"""Five hints for the first model that is ever opened: a card beside the thing it speaks of. Never modal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.gui.bridge import Bridge
from studio.gui.looks.theme import Look
from studio.gui.panel import label
from studio.gui.texts.texts import T
from studio.project import changes
from studio.project.changes import Changed

if TYPE_CHECKING:
    from studio.gui.bar.toolbar import Toolbar
    from studio.gui.work import WorkPage

Stop = tuple[str, Callable[[], QWidget]]
_WIDTH, _GAP, _SOON_MS = 340, 14, 900


class _Ring(QWidget):
    """A frame around what the hint speaks of; the mouse goes through it."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._look.theme.accent_text), 2))
        painter.drawRoundedRect(self.rect().adjusted(2, 2, -2, -2), 10, 10)
        painter.end()


class Tour(QFrame):
    """`begin` shows the first hint; `ended` tells that the user has seen enough."""

    ended = Signal()

    def __init__(self, stops: tuple[Stop, ...], look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("palette")
        self.setAccessibleName(T.tour)
        self.setFixedWidth(_WIDTH)
        self._stops, self.at = stops, -1
        self._ring = _Ring(look, parent)
        self._text, self._count = label(), label(quiet=True, pixels=12)
        self._text.setWordWrap(True)
        self.next, self.skip = QPushButton(T.tour_next), QPushButton(T.tour_skip)
        self.next.setObjectName("primary")
        self.next.clicked.connect(self.go_on)
        self.skip.clicked.connect(self.end)
        row = QHBoxLayout()
        row.addWidget(self._count, 1)
        row.addWidget(self.skip)
        row.addWidget(self.next)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 14, 16, 12)
        whole.setSpacing(12)
        whole.addWidget(self._text)
        whole.addLayout(row)
        self.hide()
        self._ring.hide()

    @property
    def text(self) -> str:
        """What the hint says."""
        return self._text.text()

    def offer(self, bridge: Bridge) -> None:
        """Begin by itself once a model is open."""

        def opened(change: Changed[Any]) -> None:
            if changes.MODEL in change and self.at < 0:
                QTimer.singleShot(_SOON_MS, self.begin)

        bridge.changed.connect(opened)

    def begin(self) -> None:
        """Show the first hint."""
        self.at = -1
        self.go_on()

    def go_on(self) -> None:
        """Show the next hint, or end after the last."""
        self.at += 1
        if self.at >= len(self._stops):
            self.end()
            return
        text, find = self._stops[self.at]
        self._text.setText(text)
        self._count.setText(f"{self.at + 1} / {len(self._stops)}")
        self.next.setText(T.tour_done if self.at == len(self._stops) - 1 else T.tour_next)
        self._place(find())

    def end(self) -> None:
        """Hide it."""
        self.hide()
        self._ring.hide()
        self.ended.emit()

    def _place(self, target: QWidget) -> None:
        parent = self.parentWidget()
        if parent is None:
            return
        around = QRect(target.mapTo(parent, QPoint(0, 0)), target.size())
        self._ring.setGeometry(around.adjusted(-4, -4, 4, 4))
        self.adjustSize()
        room = parent.rect().adjusted(_GAP, _GAP, -_GAP, -_GAP)
        below = around.bottom() + _GAP + self.height() <= room.bottom()
        y = around.bottom() + _GAP if below else max(around.top() - _GAP - self.height(), room.top())
        x = min(max(around.center().x() - self.width() // 2, room.left()), room.right() - self.width())
        self.move(x, y)
        for each in (self._ring, self):
            each.show()
            each.raise_()


def stops(page: WorkPage, toolbar: Toolbar) -> tuple[Stop, ...]:
    """The hints, and what each speaks of."""
    return (
        (T.tour_layers, lambda: page.layers),
        (T.tour_cards, lambda: page.cards.accuracy),
        (T.tour_graph, lambda: page.graph_panel),
        (T.tour_auto, lambda: toolbar.auto),
        (T.tour_export, lambda: toolbar.export),
    )
