"""What is drawn without text: frames, edges, plain rectangles. Used near, far and for the minimap."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from studio.graph.cards import kind
from studio.gui.graph import inks
from studio.gui.graph.scene import Scene
from studio.gui.graph.state import Shown

COARSE = 0.25


class Strokes:
    """Paints the parts of a `Shown` that need no typeface: in any thread, given a copy."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self._colours: dict[int, str] = {}

    def forget(self) -> None:
        """Colours or boxes changed."""
        self._colours = {}

    def all(self, painter: QPainter, scene: Scene, seen: QRectF, scale: float) -> None:
        """Frames, edges and plain rectangles."""
        self.frames(painter, scene, seen, scale)
        self.edges(painter, scene, seen, scale)
        self.coarse(painter, scene, seen)

    def frames(self, painter: QPainter, scene: Scene, seen: QRectF, scale: float) -> None:
        """Grounds of the opened scopes, outer ones first."""
        theme, near = self.shown.theme, scale >= COARSE
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, near)
        painter.setPen(QPen(inks.frame_rim(theme), 1))
        for frame in scene.framed(seen, 6 / scale):
            painter.setBrush(inks.frame(theme, scene.depth[frame]))
            if near:
                painter.drawRoundedRect(scene.rects[frame], 8, 8)
            else:
                painter.drawRect(scene.rects[frame])

    def edges(self, painter: QPainter, scene: Scene, seen: QRectF, scale: float) -> None:
        """The lines between boxes, band by band."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, scale >= COARSE)
        pen = QPen(inks.edge(self.shown.theme), 1.3 if scale >= COARSE else 0)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for band in scene.lines(seen):
            painter.drawPath(band.path)

    def coarse(self, painter: QPainter, scene: Scene, seen: QRectF) -> None:
        """Plain rectangles, one call per colour."""
        by_colour: dict[str, list[QRectF]] = {}
        for box in scene.near(seen):
            by_colour.setdefault(self.colour(scene, box), []).append(scene.rects[box])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        for colour, rects in by_colour.items():
            painter.setBrush(QColor(colour))
            painter.drawRects(rects)

    def colour(self, scene: Scene, box: int) -> str:
        """A box's colour under the chosen heat, and under the comparison where there is one."""
        if box not in self._colours:
            self._colours[box] = self._colour(scene, box)
        return self._colours[box]

    def _colour(self, scene: Scene, box: int) -> str:
        heat, theme = self.shown.heat, self.shown.theme
        mark = self.shown.change.get(box)
        if mark is not None:
            return inks.change(theme, mark)
        if heat.mode == "op":
            return theme.op(kind(scene.diagram.boxes[box].op))
        fraction = heat.fraction(box)
        return theme.line_strong if fraction is None else inks.ramp(theme, fraction)
