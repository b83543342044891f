"""The mouse on the canvas: a drag pans, with Shift or the lasso tool it catches boxes, a click picks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent, QPolygonF

if TYPE_CHECKING:
    from studio.gui.graph.canvas import Canvas

_MORE = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier
_STILL = 4  # pixels that a click may tremble


class Hand:
    """What one canvas is being done to between press and release."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.tool = False
        self._from: QPointF | None = None
        self._moved = False
        self._lasso: QPolygonF | None = None

    def press(self, event: QMouseEvent) -> None:
        """A button goes down."""
        self._from, self._moved = event.position(), False
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        left = event.button() == Qt.MouseButton.LeftButton
        self._lasso = QPolygonF([event.position()]) if left and (self.tool or shift) else None

    def move(self, event: QMouseEvent) -> None:
        """The pointer moves, with or without a button."""
        if self._from is None:
            self._hover(event.position())
            return
        apart = event.position() - self._from
        if not self._moved and apart.manhattanLength() <= _STILL:
            return
        self._moved = True
        if self._lasso is not None:
            self._lasso.append(event.position())
            self.canvas.show_lasso(self._lasso)
            return
        self._from = event.position()
        self.canvas.setCursor(Qt.CursorShape.ClosedHandCursor)
        self.canvas.pan(apart)

    def release(self, event: QMouseEvent) -> None:
        """The button goes up."""
        moved, lasso = self._moved, self._lasso
        self._from, self._moved, self._lasso = None, False, None
        self._hover(event.position())
        self.canvas.show_lasso(None)
        more = bool(event.modifiers() & _MORE)
        if moved and lasso is not None:
            lasso.append(event.position())
            self.canvas.caught.emit(self.canvas.inside(lasso), more)
        elif not moved and event.button() == Qt.MouseButton.LeftButton:
            self._click(event.position(), more)

    def _click(self, point: QPointF, more: bool) -> None:
        canvas = self.canvas
        box = canvas.box_at(point)
        if box is None:
            canvas.clear.emit()
        elif canvas.on_sign(box, point):
            canvas.toggle.emit(box)
        else:
            canvas.pick.emit(box, more)

    def _hover(self, point: QPointF) -> None:
        if self.tool:
            shape = Qt.CursorShape.CrossCursor
        elif self.canvas.box_at(point) is None:
            shape = Qt.CursorShape.ArrowCursor
        else:
            shape = Qt.CursorShape.PointingHandCursor
        self.canvas.setCursor(shape)
