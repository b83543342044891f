"""Draws boxes near enough to be read: cards, collapsed scopes, terminals, titles of frames."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QStaticText

from studio.graph.cards import kind
from studio.graph.scopes import Box
from studio.gui.graph import inks
from studio.gui.graph.badges import badges
from studio.gui.graph.scene import Scene
from studio.gui.graph.sizes import BAR, INSET, Faces, fused
from studio.gui.graph.state import Shown

READABLE = 0.58


@dataclass(slots=True)
class _Run:
    """A text ready to be drawn at a place relative to its box."""

    x: float
    y: float
    text: QStaticText
    face: QFont
    colour: str


class BoxPainter:
    """Paints boxes; texts are cut and shaped once and kept."""

    def __init__(self, shown: Shown, faces: Faces) -> None:
        self.shown, self.faces = shown, faces
        self._runs: dict[tuple[int, bool], list[_Run]] = {}

    def forget(self) -> None:
        self._runs.clear()

    def paint(self, painter: QPainter, scene: Scene, boxes: list[int], scale: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for at in boxes:
            self._ground(painter, scene.diagram.boxes[at], scene.rects[at], at)
        for at in boxes:
            self._words(painter, scene, at, scale >= READABLE)
        if scale >= READABLE:
            for at in boxes:
                self._badges(painter, scene.diagram.boxes[at], scene.rects[at], at)
        for frame in scene.frames:
            self._words(painter, scene, frame, scale >= READABLE)

    def accent(self, box: Box, at: int) -> str:
        """Colour of a box under the chosen heat."""
        theme, heat = self.shown.theme, self.shown.heat
        if heat.mode == "op":
            return theme.op(kind(box.op))
        fraction = heat.fraction(at)
        return theme.line_strong if fraction is None else inks.ramp(theme, fraction)

    def _ground(self, painter: QPainter, box: Box, rect: QRectF, at: int) -> None:
        theme = self.shown.theme
        if box.kind in ("input", "output"):
            painter.setPen(QPen(QColor(theme.line_strong), 1))
            painter.setBrush(QColor(theme.window if theme.dark else theme.raised))
            painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
            return
        colour = self.accent(box, at)
        fill = QColor(inks.card(theme, colour))
        painter.setPen(QPen(QColor(inks.rim(theme, colour)), 1))
        painter.setBrush(fill)
        if box.kind == "scope":
            painter.drawRoundedRect(rect.translated(5, 5).adjusted(4, 0, 0, 0), 6, 6)
            painter.drawRoundedRect(rect.translated(2.5, 2.5).adjusted(2, 0, 0, 0), 6, 6)
        painter.drawRoundedRect(rect, 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        wide = BAR if self.shown.heat.mode == "op" else BAR + 3
        painter.drawRoundedRect(QRectF(rect.x() + 4, rect.y() + 5, wide, rect.height() - 10), 2, 2)

    def _words(self, painter: QPainter, scene: Scene, at: int, near: bool) -> None:
        key = (at, near)
        if key not in self._runs:
            box, rect = scene.diagram.boxes[at], scene.rects[at]
            self._runs[key] = self._texts(box, rect, at) if near else self._title_only(box, rect)
        corner = scene.rects[at].topLeft()
        for run in self._runs[key]:
            painter.setFont(run.face)
            painter.setPen(QColor(run.colour))
            painter.drawStaticText(QPointF(corner.x() + run.x, corner.y() + run.y), run.text)

    def _texts(self, box: Box, rect: QRectF, at: int) -> list[_Run]:
        theme, faces = self.shown.theme, self.faces
        if box.kind == "frame":
            title = self._run(34, 6, box.title, faces.title, theme.text, rect.width() - 60)
            after = 42 + faces.width(faces.title, box.title)
            return [
                self._run(14, 5, "−", faces.title, theme.muted, 20),
                title,
                self._run(after, 7, box.subtitle, faces.small, theme.muted, rect.width() - after - 8),
            ]
        if box.kind in ("input", "output"):
            name = faces.cut(faces.title, box.title, 120, middle=True)
            after = 20 + faces.width(faces.title, name)
            return [
                self._run(13, 5, name, faces.title, theme.text, 120),
                self._run(after, 6, box.subtitle, faces.small, theme.muted, rect.width() - after - 10),
            ]
        return self._card_texts(box, rect, at)

    def _card_texts(self, box: Box, rect: QRectF, at: int) -> list[_Run]:
        theme, faces = self.shown.theme, self.faces
        taken = sum(badge.width + 4 for badge in badges(box, at, self.shown, faces))
        room = rect.width() - INSET - 8 - taken
        left = INSET + (14 if box.kind == "scope" else 0)
        room -= left - INSET
        title = faces.cut(faces.title, box.title, room)
        runs = [self._run(left, 3.5, title, faces.title, theme.text, room)]
        if box.kind == "scope":
            runs.append(self._run(INSET, 3.5, "+", faces.title, theme.accent_text, 14))
        after = left + faces.width(faces.title, title) + 5
        if box.fused and rect.width() - 8 - taken - after > 18:
            more = rect.width() - 8 - taken - after
            runs.append(self._run(after, 4.5, fused(box), faces.small, theme.muted, more))
        runs.append(
            self._run(
                left, 19.5, box.subtitle, faces.small, theme.muted, rect.width() - left - 8, middle=True
            )
        )
        return runs

    def _title_only(self, box: Box, rect: QRectF) -> list[_Run]:
        theme, faces = self.shown.theme, self.faces
        if box.kind == "frame":
            face = faces.large
            return [self._run(14, 1, box.title, face, theme.text, rect.width() - 28)]
        face = faces.large if box.kind not in ("input", "output") else faces.title
        name = box.title if box.kind != "card" else box.title.partition(" ")[0]
        room = rect.width() - INSET - 6
        top = (rect.height() - faces.metrics[id(face)].height()) / 2
        return [self._run(INSET, top, name, face, theme.text, room)]

    def _run(
        self, x: float, y: float, text: str, face: QFont, colour: str, room: float, middle: bool = False
    ) -> _Run:
        shaped = QStaticText(self.faces.cut(face, text, max(room, 0.0), middle))
        shaped.setTextFormat(Qt.TextFormat.PlainText)
        shaped.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
        return _Run(x, y, shaped, face, colour)

    def _badges(self, painter: QPainter, box: Box, rect: QRectF, at: int) -> None:
        right = rect.right() - 6
        for badge in badges(box, at, self.shown, self.faces):
            area = QRectF(right - badge.width, rect.y() + 4, badge.width, 14)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(badge.ground))
            painter.drawRoundedRect(area, 4, 4)
            painter.setPen(QColor(badge.ink))
            painter.setFont(self.faces.badge)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, badge.text)
            right -= badge.width + 4
