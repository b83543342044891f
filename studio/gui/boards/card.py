"""What a board is, and what that means for a network: each remark with a sign, the gravest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from studio.gui.boards import words
from studio.gui.figures import cards
from studio.gui.looks.theme import Look
from studio.gui.panel import label

if TYPE_CHECKING:
    from studio.boards.facts import BoardFacts
    from studio.boards.remarks import Remark

_TONES = {"bad": cards.BAD, "warn": cards.WARN, "good": cards.GOOD}
_MARKS = {"bad": "✗", "warn": "!", "good": "✓", "note": "·"}


class FactsCard(QFrame):
    """Hidden until a board was asked."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._look, self._rows = look, list[QWidget]()
        self._remarks: tuple[Remark, ...] = ()
        self._title = label(strong=True, pixels=13)
        self._facts = label(quiet=True, pixels=12)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(12, 9, 12, 10)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        for row, each in enumerate((self._title, self._facts)):
            each.setWordWrap(True)
            self._grid.addWidget(each, row, 0, 1, 2)
        self.hide()

    def show_facts(self, facts: BoardFacts | None, remarks: tuple[Remark, ...]) -> None:
        """Say what it is and what that means; nothing where it was not asked."""
        self._clear()
        self._remarks = remarks
        self.setVisible(facts is not None)
        if facts is None:
            return
        self._title.setText(words.facts_title(facts))
        self._facts.setText("\n".join(words.facts_lines(facts)))
        for row, each in enumerate(remarks, start=2):
            self._put(each, row)
        self.setAccessibleName(self.text)

    def _put(self, remark: Remark, row: int) -> None:
        sign, text = cards.Sign(self._look, self), label(remark.text, pixels=12)
        sign.show_tone(_TONES.get(remark.tone, cards.QUIET))
        text.setObjectName("muted" if remark.tone == "note" else "")
        text.setWordWrap(True)
        self._grid.addWidget(sign, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(text, row, 1)
        self._rows += [sign, text]

    def _clear(self) -> None:
        for each in self._rows:
            self._grid.removeWidget(each)
            each.hide()
            each.deleteLater()
        self._rows = []

    @property
    def text(self) -> str:
        """Everything it says; remarks begin with a mark."""
        heads = (self._title.text(), self._facts.text())
        return "\n".join((*heads, *(f"{_MARKS[each.tone]} {each.text}" for each in self._remarks)))
