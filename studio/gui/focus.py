"""Keys alone: Tab goes through the window as the eye does, and what has the focus shows it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLayout,
    QLineEdit,
    QSplitter,
    QWidget,
)

from studio.gui.looks.theme import Look

# By the style sheet, or by their own paint.
_SHOWS_IT = (
    QAbstractButton,
    QLineEdit,
    QAbstractSpinBox,
    QComboBox,
)
_MOVES = frozenset({QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Hide, QEvent.Type.Show})


def stops(window: QWidget) -> tuple[QWidget, ...]:
    """What Tab comes by, in the order of layouts and splitters: as it stands, not as it was made."""
    return tuple(each for each in _walk(window) if _takes(each))


def step(window: QWidget, forward: bool) -> bool:
    """Give the focus to the next stop, or the one before; False where there is none."""
    found, now = stops(window), QApplication.focusWidget()
    if not found:
        return False
    at = found.index(now) if now in found else (-1 if forward else 0)
    reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
    found[(at + (1 if forward else -1)) % len(found)].setFocus(reason)
    return True


def _takes(widget: QWidget) -> bool:
    policy, tab = widget.focusPolicy(), Qt.FocusPolicy.TabFocus
    if not (policy & tab and widget.isVisible() and widget.isEnabled()) or widget.focusProxy() is not None:
        return False
    if isinstance(widget, QAbstractButton) and widget.autoExclusive() and widget.isCheckable():
        return widget.isChecked()  # arrow keys go through the rest of a group
    return True


def _walk(widget: QWidget) -> Iterator[QWidget]:
    yield widget
    layout = widget.layout()
    laid = list(_laid(layout)) if layout is not None else []
    if isinstance(widget, QSplitter):
        laid = [part for at in range(widget.count()) if (part := widget.widget(at)) is not None]
    rest = [each for each in widget.findChildren(QWidget, options=_DIRECT) if each not in laid]
    for child in chain(laid, rest):
        if not child.isWindow() and child.isVisible():
            yield from _walk(child)


def _laid(layout: QLayout) -> Iterator[QWidget]:
    for at in range(layout.count()):
        item = layout.itemAt(at)
        inner, child = (item.layout(), item.widget()) if item is not None else (None, None)
        if inner is not None:
            yield from _laid(inner)
        elif child is not None:
            yield child


_DIRECT = Qt.FindChildOption.FindDirectChildrenOnly


class FocusRing(QWidget):
    """A thin frame around what has the focus and does not show it by itself: tables, lists, graph, plots.

    Only for who goes by Tab (`walking`): who points at a place with the mouse knows it.
    """

    def __init__(self, look: Look, window: QWidget) -> None:
        super().__init__(window)
        self._look = look
        self._around: QWidget | None = None
        self.walking = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow)

    @Slot(QWidget, QWidget)
    def _follow(self, _old: QWidget | None, now: QWidget | None) -> None:
        if self._around is not None:
            self._around.removeEventFilter(self)
        self.walking = self.walking and QApplication.mouseButtons() == Qt.MouseButton.NoButton
        mine = now is not None and now.window() is self.parentWidget() and not isinstance(now, _SHOWS_IT)
        self._around = now if mine and self.walking else None
        if self._around is not None:
            self._around.installEventFilter(self)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        around, window = self._around, self.parentWidget()
        if around is None or window is None or not around.isVisible():
            self.hide()
            return
        self.setGeometry(QRect(around.mapTo(window, QPoint(0, 0)), around.size()))
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._look.theme.accent_text), 1.5))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 5, 5)
        painter.end()
