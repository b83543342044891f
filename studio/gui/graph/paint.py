"""Draws the scene at the level of detail that its scale can carry."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPixmap

from studio.graph.cards import kind
from studio.gui.graph import inks
from studio.gui.graph.boxes import BoxPainter
from studio.gui.graph.camera import Camera
from studio.gui.graph.scene import Scene
from studio.gui.graph.sizes import Faces
from studio.gui.graph.state import Shown
from studio.gui.texts import T

FAR, COARSE = 0.06, 0.25
OVERVIEW = 4096


class Painter:
    """Paints a `Shown` through a `Camera`; keeps what can be reused between frames."""

    def __init__(self, shown: Shown, faces: Faces) -> None:
        self.shown = shown
        self.boxes = BoxPainter(shown, faces)
        self._overview: QPixmap | None = None

    def forget(self) -> None:
        """Colours or boxes changed: drop what was kept."""
        self._overview = None
        self.boxes.forget()

    def paint(self, painter: QPainter, camera: Camera, exposed: QRectF) -> None:
        """Draw what `exposed` (screen) shows of the scene."""
        scene = self.shown.scene
        painter.fillRect(exposed, QColor(self.shown.theme.sunken))
        if scene is None:
            return
        seen = camera.seen(exposed)
        painter.save()
        painter.setTransform(camera.transform(), True)
        if camera.scale < FAR:
            self._far(painter, scene)
        else:
            self._frames(painter, scene, seen, camera.scale)
            self._edges(painter, scene, seen, camera.scale)
            if camera.scale < COARSE:
                self._coarse(painter, scene, seen)
            else:
                self.boxes.paint(painter, scene, seen, camera.scale)
        self._marks(painter, scene, seen, camera.scale)
        painter.restore()

    def _far(self, painter: QPainter, scene: Scene) -> None:
        if self._overview is None:
            self._overview = self._picture(scene)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(scene.bounds, self._overview, QRectF(self._overview.rect()))

    def _picture(self, scene: Scene) -> QPixmap:
        """The whole scene, small: drawn once, then only moved."""
        longest = max(scene.bounds.width(), scene.bounds.height(), 1.0)
        scale = min(FAR, OVERVIEW / longest)
        size = QSize(int(scene.bounds.width() * scale) + 1, int(scene.bounds.height() * scale) + 1)
        picture = QPixmap(size)
        picture.fill(QColor(self.shown.theme.sunken))
        painter = QPainter(picture)
        painter.scale(size.width() / scene.bounds.width(), size.height() / scene.bounds.height())
        self._frames(painter, scene, scene.bounds, scale)
        self._edges(painter, scene, scene.bounds, scale)
        self._coarse(painter, scene, scene.bounds)
        painter.end()
        return picture

    def _frames(self, painter: QPainter, scene: Scene, seen: QRectF, scale: float) -> None:
        theme = self.shown.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, scale >= COARSE)
        painter.setPen(QPen(inks.frame_rim(theme), 1))
        for frame in scene.framed(seen, 6 / scale):
            painter.setBrush(inks.frame(theme, scene.depth[frame]))
            if scale >= COARSE:
                painter.drawRoundedRect(scene.rects[frame], 8, 8)
            else:
                painter.drawRect(scene.rects[frame])

    def _edges(self, painter: QPainter, scene: Scene, seen: QRectF, scale: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, scale >= COARSE)
        pen = QPen(inks.edge(self.shown.theme), 1.3 if scale >= COARSE else 0)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for band in scene.bands:
            if band.rect.intersects(seen):
                painter.drawPath(band.path)

    def _coarse(self, painter: QPainter, scene: Scene, seen: QRectF) -> None:
        """Plain rectangles, one call per colour."""
        by_colour: dict[str, list[QRectF]] = {}
        for box in scene.near(seen):
            by_colour.setdefault(self._colour(scene, box), []).append(scene.rects[box])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        for colour, rects in by_colour.items():
            painter.setBrush(QColor(colour))
            painter.drawRects(rects)

    def _colour(self, scene: Scene, box: int) -> str:
        heat, theme = self.shown.heat, self.shown.theme
        if heat.mode == "op":
            return theme.op(kind(scene.diagram.boxes[box].op))
        fraction = heat.fraction(box)
        return theme.line_strong if fraction is None else inks.ramp(theme, fraction)

    def _marks(self, painter: QPainter, scene: Scene, seen: QRectF, scale: float) -> None:
        """Selection, its lines, group partners and finds, over everything and at any scale."""
        shown, theme = self.shown, self.shown.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        width = max(2.0, 1.6 / scale)
        painter.setPen(QPen(QColor(theme.accent_text), max(1.8, 1.2 / scale)))
        if len(shown.selected) <= 12:
            for edge in sorted({e for box in shown.selected for e in scene.edges_of.get(box, ())}):
                painter.drawPath(scene.path(edge))
        dashed = QPen(QColor(theme.accent_text), width * 0.8, Qt.PenStyle.DashLine)
        self._outline(painter, scene, shown.partners - shown.selected, dashed, seen)
        self._outline(painter, scene, shown.found, QPen(QColor(theme.warn), width), seen)
        self._outline(painter, scene, shown.selected, QPen(QColor(theme.accent_text), width), seen)
        if shown.focused and shown.current is not None and len(shown.selected) != 1:
            ring = QPen(QColor(theme.text), width * 0.7, Qt.PenStyle.DotLine)
            self._outline(painter, scene, frozenset({shown.current}), ring, seen)

    def _outline(
        self, painter: QPainter, scene: Scene, boxes: frozenset[int], pen: QPen, seen: QRectF
    ) -> None:
        painter.setPen(pen)
        grow = pen.widthF() / 2
        for box in sorted(boxes):
            rect = scene.rects[box].adjusted(-grow, -grow, grow, grow)
            if rect.intersects(seen):
                painter.drawRoundedRect(rect, 7, 7)


def empty(painter: QPainter, rect: QRectF, shown: Shown, faces: Faces) -> None:
    """What the canvas says when there is no model."""
    theme = shown.theme
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    area = QRectF(0, 0, min(360.0, rect.width() - 32), min(150.0, rect.height() - 32))
    area.moveCenter(rect.center())
    pen = QPen(QColor(theme.line_strong), 1.5, Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.setBrush(QBrush(QColor(theme.surface)))
    painter.drawRoundedRect(area, 12, 12)
    painter.setPen(QColor(theme.text))
    painter.setFont(faces.large)
    painter.drawText(area.adjusted(0, 0, 0, -34), Qt.AlignmentFlag.AlignCenter, T.start_title)
    painter.setPen(QColor(theme.muted))
    painter.setFont(faces.plain)
    hint = area.adjusted(0, 44, 0, 0)
    painter.drawText(hint, Qt.AlignmentFlag.AlignCenter, T.graph_hint)
