"""The widget that shows the scene and turns mouse, wheel, pinch and keys into wishes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from studio.gui.graph import legend, travel
from studio.gui.graph.camera import Camera
from studio.gui.graph.paint import Painter, empty
from studio.gui.graph.sizes import Faces
from studio.gui.graph.state import Shown
from studio.gui.graph.tips import tip

_WAYS = {
    Qt.Key.Key_Down: "down",
    Qt.Key.Key_Up: "up",
    Qt.Key.Key_Left: "left",
    Qt.Key.Key_Right: "right",
    Qt.Key.Key_Home: "first",
    Qt.Key.Key_End: "last",
}
_OPENS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_STEP = 1.25
_CLOSEST_WHOLE = 1.5  # a small graph in a big window


class Canvas(QWidget):
    """Draws a `Shown`. Signals name boxes by index: `pick` (box, add to selection), `toggle`, `clear`."""

    pick = Signal(int, bool)
    toggle = Signal(int)
    clear = Signal()
    resized = Signal()
    search = Signal(str)

    def __init__(self, shown: Shown, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown, self.faces, self.camera = shown, Faces(), Camera()
        self.painter = Painter(shown, self.faces)
        self._grabbed: QPointF | None = None
        self._moved = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)

    def fit(self) -> None:
        """Show everything; a tall drawing that would be unreadable is shown from its top."""
        if self.shown.scene is not None:
            self.camera.show(self.shown.scene.bounds, self._room(), closest=_CLOSEST_WHOLE)
            self.update()

    def show_boxes(self, boxes: frozenset[int], closest: float = 1.0) -> None:
        """Zoom to `boxes`."""
        scene = self.shown.scene
        if scene is None or not boxes:
            return
        area = QRectF()
        for box in boxes:
            area = area.united(scene.rects[box])
        self.camera.show(area.adjusted(-40, -40, 40, 40), self._room(), closest)
        self.update()

    def reveal(self, box: int) -> None:
        """Pan as little as needed to see `box`."""
        if self.shown.scene is not None:
            self.camera.reveal(self.camera_rect(box), self._room())
            self.update()

    def camera_rect(self, box: int) -> QRectF:
        scene = self.shown.scene
        return QRectF() if scene is None else scene.rects[box]

    def zoom(self, factor: float, around: QPointF | None = None) -> None:
        """Zoom by `factor` about a point of the canvas, its middle by default."""
        self.camera.zoom(factor, around or QRectF(self.rect()).center())
        self.update()

    def place_of(self, box: int) -> QPointF:
        """Centre of a box on the canvas, in pixels."""
        return self.camera.to_screen(self.camera_rect(box)).center()

    def box_at(self, point: QPointF) -> int | None:
        scene = self.shown.scene
        return None if scene is None else scene.at(self.camera.to_scene(point))

    def _room(self) -> QSizeF:
        return QSizeF(self.width(), self.height() - legend.HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        exposed = QRectF(event.rect())
        self.painter.paint(painter, self.camera, exposed)
        if self.shown.scene is None:
            empty(painter, QRectF(self.rect()), self.shown, self.faces)
        else:
            strip = QRectF(0, self.height() - legend.HEIGHT, self.width(), legend.HEIGHT)
            legend.draw(painter, strip, self.shown, self.faces)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels, angle = event.pixelDelta(), event.angleDelta()
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier):
            self.zoom(1.0015 ** angle.y(), event.position())
        else:
            delta = QPointF(pixels) if not pixels.isNull() else QPointF(angle) * 0.6
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not delta.x():
                delta = QPointF(delta.y(), 0)
            self.camera.pan(delta.x(), delta.y())
            self.update()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._grabbed, self._moved = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None:
            apart = event.position() - self._grabbed
            if self._moved or apart.manhattanLength() > 4:
                self._moved = True
                self.camera.pan(apart.x(), apart.y())
                self._grabbed = event.position()
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self.update()
            return
        box = self.box_at(event.position())
        shape = Qt.CursorShape.ArrowCursor if box is None else Qt.CursorShape.PointingHandCursor
        self.setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        moved, self._grabbed, self._moved = self._moved, None, False
        self.setCursor(Qt.CursorShape.ArrowCursor)
        if moved or event.button() != Qt.MouseButton.LeftButton:
            return
        box = self.box_at(event.position())
        more = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier
        if box is None:
            self.clear.emit()
        elif self._on_sign(box, event.position()):
            self.toggle.emit(box)
        else:
            self.pick.emit(box, bool(event.modifiers() & more))

    def _on_sign(self, box: int, point: QPointF) -> bool:
        """Whether a point is on the + or − of a scope."""
        scene = self.shown.scene
        if scene is None or scene.diagram.boxes[box].kind not in ("scope", "frame"):
            return False
        here = self.camera.to_scene(point) - scene.rects[box].topLeft()
        return self.camera.scale >= 0.4 and here.x() < 30 and here.y() < 24

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        box = self.box_at(event.position())
        if box is not None and not self._on_sign(box, event.position()):
            self.toggle.emit(box)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _WAYS and self.shown.scene is not None:
            box = travel.step(self.shown.scene, self.shown.current, _WAYS[key])
            if box is not None:
                self.pick.emit(box, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
                self.reveal(box)
        elif not self._plain_key(key):
            super().keyPressEvent(event)

    def _plain_key(self, key: Qt.Key) -> bool:
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / _STEP)
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key == Qt.Key.Key_1:
            self.zoom(1 / self.camera.scale)
        elif key == Qt.Key.Key_F:
            self.show_boxes(self.shown.selected)
        elif key == Qt.Key.Key_Escape:
            self.clear.emit()
        elif key == Qt.Key.Key_Slash:
            self.search.emit("")
        elif (
            key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.shown.current is not None
        ):
            self.toggle.emit(self.shown.current)
        elif key == Qt.Key.Key_Backspace and self.shown.current is not None:
            self._close_parent(self.shown.current)
        else:
            return False
        return True

    def _close_parent(self, box: int) -> None:
        scene = self.shown.scene
        if scene is not None and scene.diagram.boxes[box].parent >= 0:
            self.toggle.emit(scene.diagram.boxes[box].parent)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tip(event)
            return True
        if isinstance(event, QNativeGestureEvent) and (
            event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self.zoom(1 + event.value(), event.position())
            return True
        return super().event(event)

    def _tip(self, event: QHelpEvent) -> None:
        text = self.tip_at(QPointF(event.pos()))
        if text:
            QToolTip.showText(event.globalPos(), text, self)
        else:
            QToolTip.hideText()

    def tip_at(self, point: QPointF) -> str:
        """Rich text about what is under a point, "" where there is nothing."""
        box, shown = self.box_at(point), self.shown
        if box is None or shown.scene is None or shown.facts is None:
            return ""
        return tip(shown.scene.diagram.boxes[box], shown.facts, shown.figures)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.shown.focused = True
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.shown.focused = False
        super().focusOutEvent(event)
        self.update()
