"""Icons drawn by us, as SVG that takes the colour of the theme."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from studio.paths import resource

_SCALES = (1, 2)


@cache
def icon(name: str, colour: str, disabled: str = "", size: int = 18) -> QIcon:
    """The icon `name` in `colour`, sharp at 1× and 2×; `disabled` colours it when it cannot be used."""
    made = QIcon()
    for scale in _SCALES:
        made.addPixmap(pixmap(name, colour, size, scale))
        if disabled:
            made.addPixmap(pixmap(name, disabled, size, scale), QIcon.Mode.Disabled)
    return made


def pixmap(name: str, colour: str, size: int = 18, scale: float = 1) -> QPixmap:
    """The icon as a picture of `size` device-independent pixels."""
    made = QPixmap(round(size * scale), round(size * scale))
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    _renderer(name, colour).render(painter, QRectF(0, 0, size * scale, size * scale))
    painter.end()
    made.setDevicePixelRatio(scale)
    return made


def paint(painter: QPainter, name: str, colour: str, box: QRectF) -> None:
    """Draw the icon into `box`."""
    _renderer(name, colour).render(painter, box)


@cache
def _renderer(name: str, colour: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_drawing(name).replace("currentColor", colour).encode()))


@cache
def _drawing(name: str) -> str:
    return resource("icons", f"{name}.svg").read_text("utf-8")
