"""Draws boxes near enough to be read: cards, collapsed scopes, terminals, titles of frames."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QStaticText

from studio.graph.scopes import Box
from studio.gui.graph import inks
from studio.gui.graph.badges import Badge, badges, fitting
from studio.gui.graph.scene import Scene
from studio.gui.graph.sizes import BAR, INSET, Faces, fused
from studio.gui.graph.state import Shown
from studio.gui.graph.strokes import Strokes

MIDDLE, NEAR = 0.5, 0.8
LEAST_TITLE = (48.0, 36.0, 30.0)


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

    def __init__(self, shown: Shown, faces: Faces, strokes: Strokes) -> None:
        self.shown, self.faces, self.strokes = shown, faces, strokes
        self._runs: dict[tuple[int, int], list[_Run]] = {}
        self._shaped: dict[tuple[str, int], QStaticText] = {}
        self._inks: dict[str, tuple[QColor, QPen, QColor]] = {}
        self._marks: dict[tuple[int, int], list[Badge]] = {}

    def forget(self) -> None:
        self._runs.clear()
        self._inks.clear()
        self._marks.clear()

    def paint(self, painter: QPainter, scene: Scene, seen: QRectF, scale: float) -> None:
        boxes = scene.near(seen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for at in boxes:
            self._ground(painter, scene, at)
        detail = (scale >= MIDDLE) + (scale >= NEAR)
        for at in boxes:
            self._words(painter, scene, at, detail)
        for at in boxes:
            self._badges(painter, scene, at, detail)
        for frame in scene.framed(seen, 40 / scale):
            self._frame_title(painter, scene, frame, detail)

    def _ground(self, painter: QPainter, scene: Scene, at: int) -> None:
        theme, box, rect = self.shown.theme, scene.diagram.boxes[at], scene.rects[at]
        if box.kind in ("input", "output"):
            painter.setPen(QPen(QColor(theme.line_strong), 1))
            painter.setBrush(QColor(theme.window if theme.dark else theme.raised))
            painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
            return
        colour = self.strokes.colour(scene, at)
        fill, rim, bar = self._ink(colour)
        painter.setPen(rim)
        painter.setBrush(fill)
        if box.kind == "scope":
            painter.drawRoundedRect(rect.translated(5, 5).adjusted(4, 0, 0, 0), 6, 6)
            painter.drawRoundedRect(rect.translated(2.5, 2.5).adjusted(2, 0, 0, 0), 6, 6)
        painter.drawRoundedRect(rect, 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(bar)
        plain = self.shown.heat.mode == "op" and at not in self.shown.change
        wide = BAR if plain else BAR + 3
        painter.drawRoundedRect(QRectF(rect.x() + 4, rect.y() + 5, wide, rect.height() - 10), 2, 2)

    def _ink(self, colour: str) -> tuple[QColor, QPen, QColor]:
        """Ground, outline and bar of a card of this colour."""
        if colour not in self._inks:
            theme = self.shown.theme
            rim = QPen(QColor(inks.rim(theme, colour)), 1)
            self._inks[colour] = QColor(inks.card(theme, colour)), rim, QColor(colour)
        return self._inks[colour]

    def _frame_title(self, painter: QPainter, scene: Scene, frame: int, detail: int) -> None:
        """The title on a patch of the frame's ground, so that no line runs through it."""
        rect, title = scene.rects[frame], scene.diagram.boxes[frame].title
        face = self._title_face(detail)
        wide = min(self.faces.width(face, title) + (30 if detail else 12), rect.width() - 16)
        high = self.faces.metrics[id(face)].height()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(inks.frame(self.shown.theme, scene.depth[frame]))
        painter.drawRoundedRect(QRectF(rect.x() + 8, rect.y() + 4, wide, high), 4, 4)
        self._words(painter, scene, frame, detail)

    def _title_face(self, detail: int) -> QFont:
        return (self.faces.large, self.faces.middle, self.faces.title)[detail]

    def _words(self, painter: QPainter, scene: Scene, at: int, detail: int) -> None:
        key = (at, detail)
        if key not in self._runs:
            self._runs[key] = self._texts(scene.diagram.boxes[at], scene.rects[at], at, detail)
        corner = scene.rects[at].topLeft()
        for run in self._runs[key]:
            painter.setFont(run.face)
            painter.setPen(QColor(run.colour))
            painter.drawStaticText(QPointF(corner.x() + run.x, corner.y() + run.y), run.text)

    def _texts(self, box: Box, rect: QRectF, at: int, detail: int) -> list[_Run]:
        theme = self.shown.theme
        if box.kind == "frame":
            face, left = self._title_face(detail), 28.0 if detail else 14.0
            sign = [self._run(14, 4, "−", face, theme.accent_text, 20)] if detail else []
            return [*sign, self._run(left, 4, box.title, face, theme.text, rect.width() - left - 12)]
        if box.kind in ("input", "output"):
            return self._terminal_texts(box, rect)
        return self._card_texts(box, rect, at, detail) if detail else [self._one_word(box, rect, at)]

    def _terminal_texts(self, box: Box, rect: QRectF) -> list[_Run]:
        theme, faces = self.shown.theme, self.faces
        name = faces.cut(faces.title, box.title, 120, middle=True)
        after = 20 + faces.width(faces.title, name)
        return [
            self._run(13, 5, name, faces.title, theme.text, 120),
            self._run(after, 6, box.subtitle, faces.small, theme.muted, rect.width() - after - 10),
        ]

    def _card_texts(self, box: Box, rect: QRectF, at: int, detail: int) -> list[_Run]:
        theme, faces = self.shown.theme, self.faces
        face, small = (faces.title, faces.small) if detail == 2 else (faces.middle, faces.under)
        first, second = (4.0, 19.5) if detail == 2 else (1.0, 18.0)
        taken = sum(badge.width + 4 for badge in self._kept(box, rect, at, detail))
        right = rect.width() - 8
        left = INSET + (14 if box.kind == "scope" else 0)
        room = right - left - taken
        whole = faces.width(face, box.title) <= room or box.kind != "card"
        title = faces.cut(face, box.title if whole else box.title.partition(" ")[0], room)
        runs = [self._run(left, first, title, face, theme.text, room)]
        if box.kind == "scope":
            runs.append(self._run(INSET, first, "+", face, theme.accent_text, 14))
        after = left + faces.width(face, title) + 5
        more, left_over = fused(box), right - taken - after
        if faces.width(small, more) > left_over:
            more = f"+{len(box.fused)}"
        if box.fused and faces.width(small, more) <= left_over:
            runs.append(self._run(after, first + 1, more, small, theme.muted, left_over))
        runs.append(self._run(left, second, box.subtitle, small, theme.muted, right - left, middle=True))
        return runs

    def _one_word(self, box: Box, rect: QRectF, at: int) -> _Run:
        """The op, or the name of a scope, as large as the card takes it."""
        face = self.faces.large
        taken = sum(badge.width + 4 for badge in self._kept(box, rect, at, 0))
        room = rect.width() - INSET - 4 - taken
        whole = box.kind != "card" or self.faces.width(face, box.title) <= room
        name = box.title if whole else box.title.partition(" ")[0]
        top = (rect.height() - self.faces.metrics[id(face)].height()) / 2
        return self._run(INSET, top, name, face, self.shown.theme.text, room)

    def _run(
        self, x: float, y: float, text: str, face: QFont, colour: str, room: float, middle: bool = False
    ) -> _Run:
        key = self.faces.cut(face, text, max(room, 0.0), middle), id(face)
        if key not in self._shaped:
            shaped = self._shaped[key] = QStaticText(key[0])
            shaped.setTextFormat(Qt.TextFormat.PlainText)
            shaped.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
        return _Run(x, y, self._shaped[key], face, colour)

    def _kept(self, box: Box, rect: QRectF, at: int, detail: int) -> list[Badge]:
        """Badges that leave room for a short title."""
        if (at, detail) not in self._marks:
            made = badges(box, at, self.shown, self.faces.badges[detail], self.faces)
            self._marks[at, detail] = fitting(made, rect.width() - INSET - LEAST_TITLE[detail])
        return self._marks[at, detail]

    def _badges(self, painter: QPainter, scene: Scene, at: int, detail: int) -> None:
        rect, face = scene.rects[at], self.faces.badges[detail]
        right = rect.right() - 6
        high = (22.0, 17.0, 14.0)[detail]
        top = rect.y() + ((rect.height() - high) / 2 if detail == 0 else 4)
        for badge in self._kept(scene.diagram.boxes[at], rect, at, detail):
            area = QRectF(right - badge.width, top, badge.width, high)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(badge.ground))
            painter.drawRoundedRect(area, 4, 4)
            painter.setPen(QColor(badge.ink))
            painter.setFont(face)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, badge.text)
            right -= badge.width + 4
