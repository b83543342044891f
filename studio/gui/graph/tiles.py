"""The scene in square pictures at one scale, kept from frame to frame.

A frame while panning copies pictures. What is not painted yet is painted within a budget of a few
milliseconds a frame where the scene is large; until then a picture of another scale, or of the whole
graph from far away, stands in, and another frame is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF
from PySide6.QtGui import QColor, QPainter, QPixmap

from studio.gui.graph.camera import Camera
from studio.gui.graph.state import Shown

SIDE = 256  # device-independent pixels
MANY = 1200  # boxes of a scene that is not painted in one go
_BUDGET = 0.003  # seconds of a frame
_KEPT = 40 << 20  # bytes of pictures

Place = tuple[int, int]
Paint = Callable[[QPainter, QRectF, float], None]


class Tiles:
    """`paint(painter, seen, scale)` draws a part of the scene; `again` asks for another frame."""

    def __init__(self, shown: Shown, paint: Paint, again: Callable[[], None]) -> None:
        self.shown, self._paint, self._again = shown, paint, again
        self._scale = (0.0, 0.0)
        self._kept: dict[Place, QPixmap] = {}
        self._old: dict[Place, QPixmap] = {}
        self._old_scale = 1.0

    def forget(self) -> None:
        """Colours or boxes changed."""
        self._kept, self._old = {}, {}

    def draw(self, painter: QPainter, camera: Camera, exposed: QRectF, ratio: float) -> None:
        """Draw what `exposed` (screen) shows; `ratio` is device pixels a pixel."""
        origin = QPointF(round(camera.offset.x() * ratio) / ratio, round(camera.offset.y() * ratio) / ratio)
        if self._rescale(camera.scale, ratio) and not self._large:
            self._directly(painter, camera.seen(exposed), origin)
            return
        places = _places(exposed.translated(-origin))
        missing = [place for place in places if place not in self._kept]
        self._fill(missing)
        for place in places:
            corner = origin + QPointF(place[0] * SIDE, place[1] * SIDE)
            if place in self._kept:
                painter.drawPixmap(corner, self._kept[place])
            else:
                self._stand_in(painter, place, corner)
        if any(place not in self._kept for place in missing):
            self._again()
        self._make_room(places, ratio)

    @property
    def _large(self) -> bool:
        """Whether the scene is more than is painted within a frame."""
        scene = self.shown.scene
        return scene is not None and len(scene.diagram.boxes) > MANY

    def _directly(self, painter: QPainter, seen: QRectF, origin: QPointF) -> None:
        """Without tiles: while a small scene is zoomed, no picture would serve twice."""
        painter.save()
        painter.translate(origin)
        painter.scale(self._scale[0], self._scale[0])
        self._paint(painter, seen, self._scale[0])
        painter.restore()

    def _rescale(self, scale: float, ratio: float) -> bool:
        """Begin anew where the scale is another one than before; whether it is."""
        if (scale, ratio) == self._scale:
            return False
        if self._kept:
            self._old, self._old_scale = self._kept, self._scale[0]
        self._scale, self._kept = (scale, ratio), {}
        return True

    def _fill(self, missing: list[Place]) -> None:
        """Paint tiles: all of a small scene, of a large one until the budget is spent."""
        large, end = self._large, thread_time() + _BUDGET
        for place in missing:
            self._kept[place] = self._painted(place)
            if large and thread_time() > end:
                return

    def _painted(self, place: Place) -> QPixmap:
        scale, ratio = self._scale
        made = QPixmap(round(SIDE * ratio), round(SIDE * ratio))
        made.setDevicePixelRatio(ratio)
        made.fill(QColor(self.shown.theme.sunken))
        painter = QPainter(made)
        painter.translate(-place[0] * SIDE, -place[1] * SIDE)
        painter.scale(scale, scale)
        side = SIDE / scale
        self._paint(painter, QRectF(place[0] * side, place[1] * side, side, side), scale)
        painter.end()
        return made

    def _stand_in(self, painter: QPainter, place: Place, corner: QPointF) -> None:
        """What was painted of the same part of the scene at the scale before."""
        grown = self._scale[0] / self._old_scale
        part = QRectF(QPointF(place[0], place[1]) * SIDE / grown, QSizeF(SIDE, SIDE) / grown)
        painter.save()
        painter.setClipRect(QRectF(corner, QSizeF(SIDE, SIDE)))
        for old in _places(part):
            if old in self._old:
                shift = (QPointF(old[0], old[1]) * SIDE - part.topLeft()) * grown
                room = QRectF(corner + shift, QSizeF(SIDE, SIDE) * grown)
                painter.drawPixmap(room, self._old[old], QRectF(self._old[old].rect()))
        painter.restore()

    def _make_room(self, places: list[Place], ratio: float) -> None:
        """Let go of the tiles that lie farthest from what is seen."""
        most = max(int(_KEPT / (SIDE * SIDE * 4 * ratio * ratio)), 2 * len(places))
        if len(self._kept) <= most or not places:
            return
        middle = QPoint(*places[len(places) // 2])
        far = sorted(self._kept, key=lambda place: -(QPoint(*place) - middle).manhattanLength())
        for place in far[: len(self._kept) - most]:
            del self._kept[place]


def _places(area: QRectF) -> list[Place]:
    """The tiles that touch `area`, those in the middle first."""
    left, right = int(area.left() // SIDE), int((area.right() - 1e-6) // SIDE)
    top, bottom = int(area.top() // SIDE), int((area.bottom() - 1e-6) // SIDE)
    found = [(x, y) for y in range(top, bottom + 1) for x in range(left, right + 1)]
    middle = (left + right) / 2, (top + bottom) / 2
    return sorted(found, key=lambda place: abs(place[0] - middle[0]) + abs(place[1] - middle[1]))
