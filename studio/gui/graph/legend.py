"""The legend along the lower edge: what the colours mean, with numbers beside them."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter

from studio.gui.graph import inks
from studio.gui.graph.heat import MODES, reads
from studio.gui.graph.sizes import Faces
from studio.gui.graph.state import Shown
from studio.gui.texts.texts import T

HEIGHT = 26.0
_GAP, _DOT, _RAMP = 16.0, 9.0, 140.0
_CHANGES = {"removed": T.graph_removed, "inserted": T.graph_inserted, "changed": T.graph_changed}
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
    if shown.change:
        _changes(painter, room, shown, faces)
    elif shown.heat.mode == "op":
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


def _changes(painter: QPainter, room: QRectF, shown: Shown, faces: Faces) -> None:
    """The signs of a comparison."""
    counts = Counter(shown.change.values())
    x = room.x() + 12
    for mark, sign in inks.CHANGE_SIGNS.items():
        if counts[mark]:
            x = _write(painter, x, room, sign, inks.change(shown.theme, mark), faces) + 6
            text = _CHANGES[mark].format(n=counts[mark])
            x = _write(painter, x, room, text, shown.theme.text, faces) + _GAP


def _ramp(painter: QPainter, room: QRectF, shown: Shown, faces: Faces) -> None:
    """The two halves of the ramp between their numbers, and how many boxes have a figure."""
    theme, heat = shown.theme, shown.heat
    x = _write(painter, room.x() + 12, room, MODES.get(heat.mode, heat.mode), theme.text, faces) + 12
    if not heat.values:
        text = T.graph_measure if heat.mode in shown.measuring else T.graph_missing
        _write(painter, x, room, text, theme.muted, faces)
        return
    x = _write(painter, x, room, reads(heat.mode, heat.low), theme.muted, faces) + 8
    for low, number in ((0.0, heat.middle), (0.5, heat.high)):
        _half(painter, QRectF(x, room.center().y() - 4, _RAMP / 2, 8), shown, low)
        x = _write(painter, x + _RAMP / 2 + 8, room, reads(heat.mode, number), theme.muted, faces) + 8
    text = _share(shown)
    if x + faces.width(faces.small, text) < room.right() - 8:
        _write(painter, x + 8, room, text, theme.muted, faces)


def _half(painter: QPainter, bar: QRectF, shown: Shown, low: float) -> None:
    """Half of the ramp, from `low`."""
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for place in range(5):
        gradient.setColorAt(place / 4, QColor(inks.ramp(shown.theme, low + place / 8)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawRoundedRect(bar, 3, 3)


def _share(shown: Shown) -> str:
    """How many of the layers' boxes have a figure, where some have none."""
    boxes = shown.scene.diagram.boxes if shown.scene is not None else ()
    able = sum(bool(box.layers) and box.kind in ("card", "scope") for box in boxes)
    known = len(shown.heat.values)
    return T.graph_some.format(n=known, of=able) if known < able else ""


def _write(painter: QPainter, x: float, room: QRectF, text: str, colour: str, faces: Faces) -> float:
    """Write `text`; where it ends."""
    painter.setPen(QColor(colour))
    wide = faces.width(faces.small, text)
    painter.drawText(QRectF(x, room.y(), wide + 2, room.height()), _MIDDLE, text)
    return x + wide
