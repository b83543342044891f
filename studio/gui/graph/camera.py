"""Where the canvas looks: scale and offset between scene and screen."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QTransform

CLOSEST = 3.0
FARTHEST = 0.004


class Camera:
    """`screen = scene * scale + offset`, in device-independent pixels."""

    def __init__(self) -> None:
        self.scale = 1.0
        self.offset = QPointF(0.0, 0.0)

    @property
    def place(self) -> tuple[float, float, float]:
        """Scale and offset, to see whether it moved."""
        return self.scale, self.offset.x(), self.offset.y()

    def transform(self) -> QTransform:
        return QTransform(self.scale, 0, 0, self.scale, self.offset.x(), self.offset.y())

    def to_scene(self, point: QPointF) -> QPointF:
        return QPointF((point.x() - self.offset.x()) / self.scale, (point.y() - self.offset.y()) / self.scale)

    def to_screen(self, rect: QRectF) -> QRectF:
        return self.transform().mapRect(rect)

    def seen(self, rect: QRectF) -> QRectF:
        """The part of the scene behind a rectangle of the screen."""
        corner = self.to_scene(rect.topLeft())
        return QRectF(corner.x(), corner.y(), rect.width() / self.scale, rect.height() / self.scale)

    def pan(self, dx: float, dy: float) -> None:
        self.offset = self.offset + QPointF(dx, dy)

    def zoom(self, factor: float, around: QPointF) -> None:
        """Scale by `factor`; the scene point under `around` (screen) stays where it is."""
        fixed = self.to_scene(around)
        self.scale = min(max(self.scale * factor, FARTHEST), CLOSEST)
        self.offset = QPointF(around.x() - fixed.x() * self.scale, around.y() - fixed.y() * self.scale)

    def show(self, rect: QRectF, view: QSizeF, closest: float = 1.0, margin: float = 14.0) -> None:
        """Bring `rect` wholly into a view of size `view`, no closer than `closest`."""
        if rect.isEmpty() or view.width() <= 2 * margin or view.height() <= 2 * margin:
            return
        across = (view.width() - 2 * margin) / rect.width()
        down = (view.height() - 2 * margin) / rect.height()
        self.scale = min(max(min(across, down, closest), FARTHEST), CLOSEST)
        middle = rect.center() * self.scale
        self.offset = QPointF(view.width() / 2 - middle.x(), view.height() / 2 - middle.y())

    def reveal(self, rect: QRectF, view: QSizeF, margin: float = 32.0) -> None:
        """Pan as little as needed so that `rect` is seen."""
        here = self.to_screen(rect)
        dx = _into(here.left(), here.right(), view.width(), margin)
        dy = _into(here.top(), here.bottom(), view.height(), margin)
        self.pan(dx, dy)


def _into(low: float, high: float, room: float, margin: float) -> float:
    if low < margin:
        return margin - low
    if high > room - margin:
        return max(room - margin - high, margin - low)
    return 0.0
