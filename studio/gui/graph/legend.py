"""The legend in the corner: what the colours mean, with numbers beside them."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPen

from studio.gui.graph import inks
from studio.gui.graph.heat import MODES, reads
from studio.gui.graph.sizes import Faces
from studio.gui.graph.state import Shown

ROW, WIDE = 18.0, 148.0


def rows(shown: Shown) -> list[tuple[str, str]]:
    """(label, colour) of each line of the legend under colour by op; how many there are beside it."""
    if shown.scene is None:
        return []
    counts = shown.scene.kinds
    order = [name for name, _ in shown.theme.ops if counts[name]]
    return [(f"{name}  {counts[name]}", shown.theme.op(name)) for name in order]


def draw(painter: QPainter, corner: tuple[float, float], shown: Shown, faces: Faces) -> None:
    """Draw with the lower left corner at `corner` (screen)."""
    ramp = shown.heat.mode != "op"
    lines = [] if ramp else rows(shown)
    height = 58.0 if ramp else ROW * len(lines) + 12
    if not ramp and not lines:
        return
    area = QRectF(corner[0], corner[1] - height, WIDE, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(shown.theme.line), 1))
    ground = QColor(shown.theme.surface)
    ground.setAlpha(236)
    painter.setBrush(ground)
    painter.drawRoundedRect(area, 8, 8)
    if ramp:
        _ramp(painter, area, shown, faces)
    for number, (label, colour) in enumerate(lines):
        _row(painter, area.x() + 10, area.y() + 6 + number * ROW, label, colour, shown, faces)


def _row(painter: QPainter, x: float, y: float, label: str, colour: str, shown: Shown, faces: Faces) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(QRectF(x, y + 4, 10, 10), 2.5, 2.5)
    name, _, count = label.partition("  ")
    painter.setFont(faces.small)
    painter.setPen(QColor(shown.theme.text))
    painter.drawText(QRectF(x + 18, y, 90, ROW), Qt.AlignmentFlag.AlignVCenter, name)
    painter.setPen(QColor(shown.theme.muted))
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
    painter.drawText(QRectF(x + 60, y, WIDE - 80, ROW), flags, count)


def _ramp(painter: QPainter, area: QRectF, shown: Shown, faces: Faces) -> None:
    theme, heat = shown.theme, shown.heat
    painter.setFont(faces.small)
    painter.setPen(QColor(theme.text))
    inner = area.adjusted(10, 6, -10, -6)
    painter.drawText(inner, Qt.AlignmentFlag.AlignLeft, MODES.get(heat.mode, heat.mode))
    if not heat.values:
        painter.setPen(QColor(theme.muted))
        painter.drawText(inner, Qt.AlignmentFlag.AlignBottom, "not measured yet")
        return
    bar = QRectF(inner.x(), inner.y() + 18, inner.width(), 9)
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for place in range(9):
        gradient.setColorAt(place / 8, QColor(inks.ramp(theme, place / 8)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawRoundedRect(bar, 3, 3)
    painter.setPen(QColor(theme.muted))
    painter.drawText(inner, Qt.AlignmentFlag.AlignBottom, reads(heat.mode, heat.low))
    flags = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignRight
    painter.drawText(inner, flags, reads(heat.mode, heat.high))
