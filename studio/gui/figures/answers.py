"""Answers that changed: each sample as a picture with the old and the new answer, lost ones first."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QColor, QIcon, QShowEvent
from PySide6.QtWidgets import QListWidgetItem, QStackedWidget

from studio.gui.bridge import ANSWERS, Bridge
from studio.gui.figures.tiles import Tiles, blank, icon
from studio.gui.looks.theme import Look
from studio.gui.panel import Panel, label
from studio.gui.texts.texts import T
from studio.jobs import Outcome
from studio.metrics import Flip
from studio.project.changes import Changed

_SHOWN = 48


class Answers(Panel):
    """Follows the finished comparison of the present state; asks for pictures only while it is seen."""

    def __init__(self, bridge: Bridge, look: Look) -> None:
        self._stack = QStackedWidget()
        super().__init__(T.answers, self._stack)
        self._bridge, self._look = bridge, look
        self._flips: tuple[Flip, ...] = ()
        self._pictures: dict[int, QIcon] = {}
        self._key = ""
        self.list, self.none = Tiles(T.answers), label(T.answers_none, quiet=True)
        self.none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for widget in (self.none, self.list):
            self._stack.addWidget(widget)
        bridge.changed.connect(self._follow)
        bridge.ended.connect(self._take)
        look.changed.connect(self._draw)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        session = self._bridge.session
        measured = session.measured
        found = measured.comparison if measured is not None else None
        if not self.isVisible() or found is None or session.document is None:
            return
        data = session.document.data
        key = f"{session.facts.key} {data.ref if data else ''}"
        if key != self._key:
            self._key, self._pictures = key, {}
        self._flips = tuple(sorted(found.flips, key=_lost_first))[:_SHOWN]
        self.say(T.card_flips.format(n=found.flip_count or len(found.flips), of=found.difference.n))
        self._draw()
        self._ask(tuple(flip.sample for flip in self._flips if flip.sample not in self._pictures))

    def _ask(self, wanted: tuple[int, ...]) -> None:
        session = self._bridge.session
        if wanted:
            self._bridge.run(ANSWERS, T.job_answers, lambda control: session.thumbnails(wanted, control))

    @Slot(object)
    def _take(self, outcome: Outcome) -> None:
        if outcome.lane == ANSWERS and isinstance(outcome.value, Changed):
            self._pictures |= {each.sample: icon(each) for each in outcome.value.value}
            self._draw()

    @Slot()
    def _draw(self) -> None:
        theme, missing = self._look.theme, blank(self._look.theme.raised)
        self.list.clear()
        for flip in self._flips:
            item = QListWidgetItem(self._pictures.get(flip.sample, missing), _words(flip))
            item.setForeground(QColor(getattr(theme, _tone(flip))))
            item.setToolTip(T.answers_tip.format(sample=flip.sample, label=_label(flip)))
            self.list.addItem(item)
        self._stack.setCurrentWidget(self.list if self._flips else self.none)


def _words(flip: Flip) -> str:
    sign = {"bad": "✗", "good": "✓"}.get(_tone(flip), "")
    return f"{flip.before} → {flip.after} {sign}".rstrip()


def _tone(flip: Flip) -> str:
    if flip.label is None:
        return "text"
    return "bad" if flip.before == flip.label else "good" if flip.after == flip.label else "muted"


def _lost_first(flip: Flip) -> tuple[bool, int]:
    return _tone(flip) != "bad", flip.sample


def _label(flip: Flip) -> str:
    return "–" if flip.label is None else str(flip.label)
