"""The legend along the lower edge: what the colours mean, with numbers beside them."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter

from studio.gui.graph import inks
from studio.gui.graph.heat import MODES, reads
from studio.gui.graph.sizes import Faces
from studio.gui.graph.state import Shown

HEIGHT = 26.0
_GAP, _DOT, _RAMP = 16.0, 9.0, 120.0
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


def rows(shown: Shown) -> list[tuple[str, str, str]]:
    """(kind, how many boxes, colour) for colour by op, in the theme's order."""
    if shown.scene is None:
        return []
    counts = shown.scene.kinds
    return [(name, str(counts[name]), shown.theme.op(name)) for name, _ in shown.theme.ops if counts[name]]


def draw(painter: QPainter, room: QRectF, shown: Shown, faces: Faces) -> None:
    """Draw into the strip `room`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(room, QColor(shown.theme.sunken))
    painter.setPen(QColor(shown.theme.line))
    painter.drawLine(room.topLeft(), room.topRight())
    painter.setFont(faces.small)
    if shown.heat.mode == "op":
        _kinds(painter, room, shown, faces)
    else:
        _ramp(painter, room, shown, faces)


def _kinds(painter: QPainter, room: QRectF, shown: Shown, faces: Faces) -> None:
    x = room.x() + 12
    for name, count, colour in rows(shown):
        wide = _DOT + 6 + faces.width(faces.small, f"{name} {count}")
        if x + wide > room.right() - 8:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(QRectF(x, room.center().y() - _DOT / 2, _DOT, _DOT), 2.5, 2.5)
        after = _write(painter, x + _DOT + 6, room, name, shown.theme.text, faces)
        x = _write(painter, after + 4, room, count, shown.theme.muted, faces) + _GAP


def _ramp(painter: QPainter, room: QRectF, shown: Shown, faces: Faces) -> None:
    theme, heat = shown.theme, shown.heat
    x = _write(painter, room.x() + 12, room, MODES.get(heat.mode, heat.mode), theme.text, faces) + 12
    if not heat.values:
        _write(painter, x, room, "not measured yet", theme.muted, faces)
        return
    x = _write(painter, x, room, reads(heat.mode, heat.low), theme.muted, faces) + 8
    bar = QRectF(x, room.center().y() - 4, _RAMP, 8)
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for place in range(9):
        gradient.setColorAt(place / 8, QColor(inks.ramp(theme, place / 8)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawRoundedRect(bar, 3, 3)
    _write(painter, bar.right() + 8, room, reads(heat.mode, heat.high), theme.muted, faces)


def _write(painter: QPainter, x: float, room: QRectF, text: str, colour: str, faces: Faces) -> float:
    """Write `text`; where it ends."""
    painter.setPen(QColor(colour))
    wide = faces.width(faces.small, text)
    painter.drawText(QRectF(x, room.y(), wide + 2, room.height()), _MIDDLE, text)
    return x + wide
