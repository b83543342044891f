"""The widget that shows the scene and turns mouse, wheel, pinch and keys into wishes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from studio.gui.graph import keys, legend
from studio.gui.graph.camera import Camera
from studio.gui.graph.drafting import Drafter
from studio.gui.graph.hand import Hand
from studio.gui.graph.minimap import Minimap
from studio.gui.graph.notes import empty, waiting
from studio.gui.graph.overview import Overview
from studio.gui.graph.paint import Painter
from studio.gui.graph.sizes import Faces
from studio.gui.graph.state import Shown
from studio.gui.graph.tips import tip

_CLOSEST_WHOLE = 1.5  # a small graph in a big window
_ZOOMING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier


class Canvas(QWidget):
    """Draws a `Shown`. Signals name boxes by index: `pick` and `caught` say whether they join the
    selection, `toggle` opens or closes a scope. `moved`: the camera looks elsewhere.
    """

    pick = Signal(int, bool)
    caught = Signal(object, bool)
    toggle = Signal(int)
    clear = Signal()
    resized = Signal()
    moved = Signal()
    search = Signal(str)

    def __init__(self, shown: Shown, drafter: Drafter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown, self.faces, self.camera = shown, Faces(), Camera()
        self.overview = Overview(shown, drafter, self.refresh)
        self.painter = Painter(shown, self.faces, self.overview, self._soon)
        self.hand = Hand(self)
        self.minimap = Minimap(shown, self.camera, self.overview, self)
        self.minimap.wanted.connect(self._look_at)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)

    def refresh(self) -> None:
        """Something that is drawn has changed."""
        self.minimap.place(self.room())
        self.update()

    def forget(self) -> None:
        """Colours or boxes changed: drop what was kept of them."""
        self.overview.forget()
        self.painter.forget()
        self.refresh()

    def _soon(self) -> None:
        """Another frame, after what waits to be done."""
        QTimer.singleShot(0, self, self.update)

    def look(self) -> None:
        """The camera has moved."""
        self.refresh()
        self.moved.emit()

    def fit(self) -> None:
        """Show everything."""
        if self.shown.scene is not None:
            self.camera.show(self.shown.scene.bounds, self.room(), closest=_CLOSEST_WHOLE)
            self.look()

    def show_boxes(self, boxes: frozenset[int], closest: float = 1.0) -> None:
        """Zoom to `boxes`."""
        scene = self.shown.scene
        if scene is None or not boxes:
            return
        area = QRectF()
        for box in boxes:
            area = area.united(scene.rects[box])
        self.camera.show(area.adjusted(-40, -40, 40, 40), self.room(), closest)
        self.look()

    def reveal(self, box: int) -> None:
        """Pan as little as needed to see `box`."""
        if self.shown.scene is not None:
            self.camera.reveal(self.camera_rect(box), self.room())
            self.look()

    def keep_in_place(self, before: QPointF, box: int) -> None:
        """Pan so that `box` stands where the scene point `before` was on the screen."""
        apart = (before - self.camera_rect(box).topLeft()) * self.camera.scale
        self.pan(apart)

    def pan(self, apart: QPointF) -> None:
        """Move the picture by so many pixels."""
        self.camera.pan(apart.x(), apart.y())
        self.look()

    def zoom(self, factor: float, around: QPointF | None = None) -> None:
        """Zoom by `factor` about a point of the canvas, its middle by default."""
        self.camera.zoom(factor, around or QRectF(self.rect()).center())
        self.look()

    def _look_at(self, point: QPointF) -> None:
        """Bring a scene point into the middle."""
        room = self.room()
        here = self.camera.to_screen(QRectF(point, point)).topLeft()
        self.pan(QPointF(room.width() / 2, room.height() / 2) - here)

    def set_lasso(self, on: bool) -> None:
        """Whether a drag catches boxes instead of panning."""
        self.hand.tool = on

    def show_lasso(self, lasso: QPolygonF | None) -> None:
        if lasso is not self.shown.lasso or lasso is not None:
            self.shown.lasso = lasso
            self.update()

    def inside(self, lasso: QPolygonF) -> frozenset[int]:
        """Boxes whose middle is inside a polygon on the screen."""
        scene = self.shown.scene
        if scene is None:
            return frozenset()
        area = self.camera.transform().inverted()[0].map(lasso)
        near = scene.near(area.boundingRect())
        rule = Qt.FillRule.OddEvenFill
        return frozenset(box for box in near if area.containsPoint(scene.rects[box].center(), rule))

    def camera_rect(self, box: int) -> QRectF:
        scene = self.shown.scene
        return QRectF() if scene is None else scene.rects[box]

    def place_of(self, box: int) -> QPointF:
        """Centre of a box on the canvas, in pixels."""
        return self.camera.to_screen(self.camera_rect(box)).center()

    def box_at(self, point: QPointF) -> int | None:
        scene = self.shown.scene
        return None if scene is None else scene.at(self.camera.to_scene(point))

    def on_sign(self, box: int, point: QPointF) -> bool:
        """Whether a point is on the + or − of a scope."""
        scene = self.shown.scene
        if scene is None or scene.diagram.boxes[box].kind not in ("scope", "frame"):
            return False
        here = self.camera.to_scene(point) - scene.rects[box].topLeft()
        return self.camera.scale >= 0.4 and here.x() < 30 and here.y() < 24

    def room(self) -> QSizeF:
        """What is free for the graph."""
        return QSizeF(self.width(), self.height() - legend.HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.painter.paint(painter, self.camera, QRectF(event.rect()), self.devicePixelRatioF())
        whole, shown = QRectF(self.rect()), self.shown
        if shown.facts is None:
            empty(painter, whole, shown, self.faces)
        if shown.scene is not None:
            strip = QRectF(0, self.height() - legend.HEIGHT, self.width(), legend.HEIGHT)
            legend.draw(painter, strip, shown, self.faces)
        if shown.waiting and shown.facts is not None:
            waiting(painter, whole, shown, self.faces)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refresh()
        self.resized.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels, angle = event.pixelDelta(), event.angleDelta()
        if event.modifiers() & _ZOOMING:
            self.zoom(1.0015 ** angle.y(), event.position())
        else:
            delta = QPointF(pixels) if not pixels.isNull() else QPointF(angle) * 0.6
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not delta.x():
                delta = QPointF(delta.y(), 0)
            self.pan(delta)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.hand.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hand.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.hand.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        box = self.box_at(event.position())
        if box is not None and not self.on_sign(box, event.position()):
            self.toggle.emit(box)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not keys.press(self, event):
            super().keyPressEvent(event)

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
        return tip(shown.scene.diagram.boxes[box], shown.facts, shown.figures, shown.change.get(box, ""))

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.shown.focused = True
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.shown.focused = False
        super().focusOutEvent(event)
        self.update()
