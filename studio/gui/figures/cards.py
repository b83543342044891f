"""Headline figures: what it is now, what it was, how sure that is and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from studio.gui.looks import fonts, icons
from studio.gui.looks.theme import Look
from studio.gui.panel import label
from studio.gui.texts.texts import T

GOOD, WARN, BAD, QUIET = "good", "warn", "bad", "muted"
_MARKS = {GOOD: "check", WARN: "warn", BAD: "error"}


@dataclass(frozen=True, slots=True)
class Face:
    """What a card shows. `tone` colours `change`, and a sign stands beside it: never colour alone.

    Parts of `change` (two spaces between) and of `source` (middle dots between) step back from the
    right where the card is narrow; `why` stands in the tool tip only.
    """

    value: str = T.card_none
    change: str = ""
    tone: str = QUIET
    source: str = ""
    ghost: bool = False
    why: str = ""


class Sign(QWidget):
    """The little sign beside a verdict: tick, triangle or octagon."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look, self._tone = look, QUIET
        self.setFixedSize(15, 15)

    def show_tone(self, tone: str) -> None:
        self._tone = tone
        self.setVisible(tone in _MARKS)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        icons.paint(painter, _MARKS[self._tone], getattr(self._look.theme, self._tone), QRectF(self.rect()))
        painter.end()


class Card(QFrame):
    """One headline figure."""

    def __init__(self, title: str, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._look, self.face = look, Face()
        self._title = label(title, quiet=True, pixels=12)
        self._value = label(strong=True, pixels=24)
        self._change = label(pixels=13)
        self._change.setFont(fonts.medium(13))
        self._source = label(quiet=True, pixels=11)
        self._sign = Sign(look)
        self.action = QPushButton()
        self.action.hide()
        self._arrange()
        look.changed.connect(self._dress)
        self.show_face(Face())

    def _arrange(self) -> None:
        for each in (self._change, self._source):
            each.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        verdict = QHBoxLayout()
        verdict.setSpacing(5)
        verdict.addWidget(self._sign)
        verdict.addWidget(self._change, 1)
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 11, 16, 11)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(3)
        grid.addWidget(self._title, 0, 0, 1, 2)
        grid.addWidget(self._value, 1, 0)
        grid.addLayout(verdict, 1, 1)
        grid.addWidget(self._source, 2, 0, 1, 2)
        grid.addWidget(self.action, 1, 1, 2, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid.setColumnStretch(1, 1)

    def retitle(self, title: str) -> None:
        self._title.setText(title)

    def offer(self, text: str) -> None:
        """Show a button with `text` in the card, or none."""
        self.action.setText(text)
        self.action.setVisible(bool(text))
        self._change.setVisible(not text)

    def show_face(self, face: Face) -> None:
        self.face = face
        self._value.setText(face.value)
        whole = "\n".join(filter(None, (face.change, face.source, face.why)))
        for part in (self._change, self._source, self):
            part.setToolTip(whole)
        self._sign.show_tone(face.tone)
        said = (self._title.text(), face.value, face.change, face.source, face.why)
        self.setAccessibleName(", ".join(filter(None, said)))
        self._dress()
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        """What does not fit steps back part by part, and stands whole in the tool tip."""
        _fit(self._source, self.face.source, " · ")
        _fit(self._change, self.face.change, "  ")

    def _dress(self) -> None:
        theme = self._look.theme
        _ink(self._change, getattr(theme, self.face.tone))
        _ink(self._value, theme.muted if self.face.ghost else theme.text)
        self._sign.update()


def _fit(part: QLabel, text: str, gap: str) -> None:
    metrics, parts = part.fontMetrics(), text.split(gap)
    while len(parts) > 1 and metrics.horizontalAdvance(gap.join(parts)) > part.width():
        parts.pop()
    part.setText(metrics.elidedText(gap.join(parts), Qt.TextElideMode.ElideRight, part.width()))


def _ink(widget: QLabel, colour: str) -> None:
    widget.setStyleSheet(f"color: {colour};")  # a palette would be lost at the next change of theme
