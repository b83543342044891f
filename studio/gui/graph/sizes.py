"""Sizes of boxes from the text in them, and the texts cut to fit."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetricsF

from studio.graph.scopes import Box
from studio.gui.looks import fonts

CARD, PILL = 38.0, 26.0
STEPS = (124.0, 156.0, 188.0)
BAR, INSET, BADGE = 4.0, 14.0, 42.0


class Faces:
    """Fonts of the canvas with their metrics. Texts repeat a thousandfold: what was measured is kept."""

    def __init__(self) -> None:
        self.title = fonts.strong(12)
        self.plain = fonts.font(12)
        self.small = fonts.font(11)
        self.badges = (fonts.strong(15), fonts.strong(12), fonts.strong(10))
        self.middle = fonts.strong(15)
        self.under = fonts.font(13)
        self.large = fonts.strong(21)
        self.metrics = {id(face): QFontMetricsF(face) for face in self._all()}
        self._widths: dict[tuple[int, str], float] = {}
        self._cuts: dict[tuple[int, str, float, bool], str] = {}

    def _all(self) -> tuple[QFont, ...]:
        return (self.title, self.plain, self.small, *self.badges, self.middle, self.under, self.large)

    def width(self, face: QFont, text: str) -> float:
        key = id(face), text
        if key not in self._widths:
            self._widths[key] = self.metrics[id(face)].horizontalAdvance(text)
        return self._widths[key]

    def cut(self, face: QFont, text: str, room: float, middle: bool = False) -> str:
        """`text` with an ellipsis where it is wider than `room`."""
        if self.width(face, text) <= room:
            return text
        key = id(face), text, room, middle
        if key not in self._cuts:
            mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
            self._cuts[key] = self.metrics[id(face)].elidedText(text, mode, room)
        return self._cuts[key]


def size(box: Box, faces: Faces) -> tuple[float, float]:
    """(width, height) of a box; of a frame the least width."""
    if box.kind == "frame":
        return ceil(faces.width(faces.large, box.title)) + 48.0, 0.0
    if box.kind in ("input", "output"):
        text = faces.width(faces.title, box.title) + faces.width(faces.small, box.subtitle) + 30
        return float(min(max(ceil(text / 2) * 2, 88), 240)), PILL
    if box.kind == "scope":
        wide = max(faces.width(faces.middle, box.title), faces.width(faces.under, box.subtitle))
        return _step(wide + INSET + 26), CARD
    badge = BADGE if box.layers else 0.0
    first = faces.width(faces.title, box.title) + badge
    if box.fused:
        first += faces.width(faces.small, fused(box)) + 6
    return _step(max(first, faces.width(faces.small, box.subtitle)) + INSET + 12), CARD


def _step(wish: float) -> float:
    """A few widths only, so that columns look even."""
    return next((step for step in STEPS if wish <= step), STEPS[-1])


def fused(box: Box) -> str:
    """What a card took along, as shown behind its title."""
    return "+ " + " + ".join(box.fused) if box.fused else ""
