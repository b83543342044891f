"""The whole graph in a corner, with the part that is seen; click or drag to go there."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from studio.gui.graph.camera import Camera
from studio.gui.graph.overview import Overview
from studio.gui.graph.state import Shown
from studio.gui.texts.texts import T

_LONGEST, _LEAST, _PAD, _AWAY = 168.0, 44.0, 5.0, 10
_USEFUL = 60.0  # a smaller map tells nothing
_MOST_MARKS = 400


class Minimap(QWidget):
    """Shown only while a part of the graph is out of sight. `wanted` is a point of the scene."""

    wanted = Signal(QPointF)

    def __init__(self, shown: Shown, camera: Camera, overview: Overview, parent: QWidget) -> None:
        super().__init__(parent)
        self.shown, self.camera, self.overview = shown, camera, overview
        self._kept: tuple[QImage, QSize, float, QImage] | None = None
        self._room = QSizeF()
        self.setAccessibleName(T.graph_map)
        self.setToolTip(T.graph_map)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()

    def place(self, room: QSizeF) -> None:
        """Stand in the lower right corner of `room`, where there is something to show."""
        scene, self._room = self.shown.scene, room
        fits = scene is not None and QRectF(QPointF(), room).contains(
            self.camera.to_screen(scene.bounds).adjusted(1, 1, -1, -1)
        )
        shown = scene is not None and not fits and self._longest() >= _USEFUL
        if shown:
            size = self._size()
            corner = room.toSize() - size
            self.setGeometry(corner.width() - _AWAY, corner.height() - _AWAY, size.width(), size.height())
        self.setVisible(shown)
        self.update()

    def _longest(self) -> float:
        """Its longer side: a third of the room at most, so that it never hides what it is a map of."""
        return min(_LONGEST, 0.33 * self._room.width(), 0.4 * self._room.height())

    def _size(self) -> QSize:
        assert self.shown.scene is not None
        bounds = self.shown.scene.bounds
        scale = self._longest() / max(bounds.width(), bounds.height(), 1.0)
        wide, high = max(bounds.width() * scale, _LEAST), max(bounds.height() * scale, _LEAST)
        return QSize(round(wide + 2 * _PAD), round(high + 2 * _PAD))

    def _map(self) -> QRectF:
        """Where the scene is drawn, its proportions kept."""
        assert self.shown.scene is not None
        bounds, room = self.shown.scene.bounds, QRectF(self.rect()).adjusted(_PAD, _PAD, -_PAD, -_PAD)
        scale = min(room.width() / max(bounds.width(), 1), room.height() / max(bounds.height(), 1))
        found = QRectF(0, 0, bounds.width() * scale, bounds.height() * scale)
        found.moveCenter(room.center())
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        scene, theme = self.shown.scene, self.shown.theme
        if scene is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.line_strong), 1))
        painter.setBrush(QColor(theme.surface))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        area = self._map()
        image = self._scaled(area)
        if image is not None:
            painter.drawImage(area, image)
        self._marks(painter, area)
        self._window(painter, area)
        painter.end()

    def _scaled(self, area: QRectF) -> QImage | None:
        """The overview at this size; kept, for it is drawn in every frame."""
        image, ratio = self.overview.image(), self.devicePixelRatioF()
        if image is None:
            return None
        size = (area.size() * ratio).toSize().expandedTo(QSize(1, 1))
        if self._kept is None or self._kept[0] is not image or self._kept[1:3] != (size, ratio):
            mode = Qt.TransformationMode.SmoothTransformation
            small = image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
            self._kept = image, size, ratio, small
        return self._kept[3]

    def _marks(self, painter: QPainter, area: QRectF) -> None:
        """Finds and selection as dots: what is hidden shows where it is."""
        assert self.shown.scene is not None
        scene = self.shown.scene
        painter.setPen(Qt.PenStyle.NoPen)
        for boxes, colour in (
            (self.shown.found, self.shown.theme.warn),
            (self.shown.selected, self.shown.theme.accent_text),
        ):
            painter.setBrush(QColor(colour))
            for box in sorted(boxes)[:_MOST_MARKS]:
                painter.drawEllipse(self._onto(scene.rects[box].center(), area), 2.2, 2.2)

    def _window(self, painter: QPainter, area: QRectF) -> None:
        seen = self.camera.seen(QRectF(QPointF(), self._room))
        frame = QRectF(self._onto(seen.topLeft(), area), self._onto(seen.bottomRight(), area))
        frame = frame.intersected(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5))
        painter.setPen(QPen(QColor(self.shown.theme.accent_text), 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)

    def _onto(self, point: QPointF, area: QRectF) -> QPointF:
        assert self.shown.scene is not None
        scale = area.width() / max(self.shown.scene.bounds.width(), 1)
        return area.topLeft() + point * scale

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def _go(self, point: QPointF) -> None:
        if self.shown.scene is not None:
            area = self._map()
            scale = max(self.shown.scene.bounds.width(), 1) / max(area.width(), 1)
            self.wanted.emit((point - area.topLeft()) * scale)
