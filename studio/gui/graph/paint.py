"""Draws the scene at the level of detail that its scale can carry."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from studio.gui.graph import inks
from studio.gui.graph.boxes import BoxPainter
from studio.gui.graph.camera import Camera
from studio.gui.graph.overview import SCALE, Overview
from studio.gui.graph.scene import Scene
from studio.gui.graph.sizes import Faces
from studio.gui.graph.state import Shown
from studio.gui.graph.strokes import COARSE, Strokes
from studio.gui.graph.tiles import Tiles

_MOST_LINES = 12  # of more boxes than this, lines are not lit


class Painter:
    """Paints a `Shown` through a `Camera`; keeps what can be reused between frames."""

    def __init__(self, shown: Shown, faces: Faces, overview: Overview, again: Callable[[], None]) -> None:
        self.shown, self.overview = shown, overview
        self.strokes = Strokes(shown)
        self.boxes = BoxPainter(shown, faces, self.strokes)
        self.tiles = Tiles(shown, self._near, again)

    def forget(self) -> None:
        """Colours or boxes changed: drop what was kept."""
        self.boxes.forget()
        self.strokes.forget()
        self.tiles.forget()

    def paint(self, painter: QPainter, camera: Camera, exposed: QRectF, ratio: float) -> None:
        """Draw what `exposed` (screen) shows of the scene; `ratio` is device pixels a pixel."""
        scene = self.shown.scene
        painter.fillRect(exposed, QColor(self.shown.theme.sunken))
        if scene is None:
            return
        seen = camera.seen(exposed)
        if camera.scale >= SCALE:
            self.tiles.draw(painter, camera, exposed, ratio)
        painter.save()
        painter.setTransform(camera.transform(), True)
        if camera.scale < SCALE:
            self._far(painter, scene)
        self._marks(painter, scene, seen, camera.scale)
        painter.restore()
        self._lasso(painter)

    def _near(self, painter: QPainter, seen: QRectF, scale: float) -> None:
        scene = self.shown.scene
        assert scene is not None
        if scale < COARSE:
            self.strokes.all(painter, scene, seen, scale)
            return
        self.strokes.frames(painter, scene, seen, scale)
        self.strokes.edges(painter, scene, seen, scale)
        self.boxes.paint(painter, scene, seen, scale)

    def _far(self, painter: QPainter, scene: Scene) -> None:
        image = self.overview.image()
        if image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(scene.bounds, image, QRectF(image.rect()))

    def _marks(self, painter: QPainter, scene: Scene, seen: QRectF, scale: float) -> None:
        """Selection, its lines, group partners and finds, over everything and at any scale."""
        shown, theme = self.shown, self.shown.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        width = max(2.0, 1.6 / scale)
        painter.setPen(QPen(QColor(theme.accent_text), max(1.8, 1.2 / scale)))
        if len(shown.selected) <= _MOST_LINES:
            for edge in sorted({e for box in shown.selected for e in scene.edges_of.get(box, ())}):
                painter.drawPath(scene.path(edge))
        dashed = QPen(QColor(theme.accent_text), width * 0.8, Qt.PenStyle.DashLine)
        self._outline(painter, scene, shown.partners - shown.selected, dashed, seen)
        self._outline(painter, scene, shown.found, QPen(QColor(theme.warn), width), seen)
        self._outline(painter, scene, shown.selected, QPen(QColor(theme.accent_text), width), seen)
        self._lit(painter, scene, seen, scale)
        if shown.focused and shown.current is not None and len(shown.selected) != 1:
            ring = QPen(QColor(theme.text), width * 0.7, Qt.PenStyle.DotLine)
            self._outline(painter, scene, frozenset({shown.current}), ring, seen)

    def _lit(self, painter: QPainter, scene: Scene, seen: QRectF, scale: float) -> None:
        """A glow around what a slider moves at this moment: a wide soft line and a sharp one."""
        soft = QColor(self.shown.theme.accent)
        soft.setAlpha(90)
        self._outline(painter, scene, self.shown.lit, QPen(soft, max(9.0, 5.0 / scale)), seen)
        sharp = QPen(QColor(self.shown.theme.accent_text), max(2.4, 2.0 / scale))
        self._outline(painter, scene, self.shown.lit, sharp, seen)

    def _outline(
        self, painter: QPainter, scene: Scene, boxes: frozenset[int], pen: QPen, seen: QRectF
    ) -> None:
        painter.setPen(pen)
        grow = pen.widthF() / 2
        for box in sorted(boxes):
            rect = scene.rects[box].adjusted(-grow, -grow, grow, grow)
            if rect.intersects(seen):
                painter.drawRoundedRect(rect, 7, 7)

    def _lasso(self, painter: QPainter) -> None:
        if self.shown.lasso is None:
            return
        fill = QColor(self.shown.theme.accent)
        fill.setAlpha(40)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(fill)
        painter.setPen(QPen(inks.edge(self.shown.theme), 1.5, Qt.PenStyle.DashLine))
        painter.drawPolygon(self.shown.lasso)
