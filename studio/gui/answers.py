"""Answers that changed: each sample as a picture with the old and the new answer, lost ones first."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QColor, QIcon, QImage, QPixmap, QShowEvent
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem, QStackedWidget

from studio.data.thumbnails import Thumbnail
from studio.gui.bridge import ANSWERS, Bridge
from studio.gui.panel import Panel, label
from studio.gui.texts import T
from studio.gui.theme import Look
from studio.jobs import Outcome
from studio.metrics import Flip
from studio.project.changes import Changed

_SHOWN, _SIDE = 48, 72


class Answers(Panel):
    """Follows the finished comparison of the present state; asks for pictures only while it is seen."""

    def __init__(self, bridge: Bridge, look: Look) -> None:
        self._stack = QStackedWidget()
        super().__init__(T.answers, self._stack)
        self._bridge, self._look = bridge, look
        self._flips: tuple[Flip, ...] = ()
        self._pictures: dict[int, QIcon] = {}
        self._key = ""
        self.list, self.none = QListWidget(), label(T.answers_none, quiet=True)
        self.none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._arrange()
        bridge.changed.connect(self._follow)
        bridge.ended.connect(self._take)
        look.changed.connect(self._draw)

    def _arrange(self) -> None:
        self.list.setObjectName("answers")
        self.list.setAccessibleName(T.answers)
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setIconSize(QSize(_SIDE, _SIDE))
        self.list.setGridSize(QSize(_SIDE + 48, _SIDE + 48))
        self.list.setUniformItemSizes(True)
        for widget in (self.none, self.list):
            self._stack.addWidget(widget)

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
            self._pictures |= {each.sample: _icon(each) for each in outcome.value.value}
            self._draw()

    @Slot()
    def _draw(self) -> None:
        theme, blank = self._look.theme, _blank(self._look.theme.raised)
        self.list.clear()
        for flip in self._flips:
            item = QListWidgetItem(self._pictures.get(flip.sample, blank), _words(flip))
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


def _icon(picture: Thumbnail) -> QIcon:
    kind = QImage.Format.Format_Grayscale8 if picture.planes == 1 else QImage.Format.Format_RGB888
    image = QImage(picture.pixels, picture.width, picture.height, picture.width * picture.planes, kind)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    made = QPixmap.fromImage(image.copy()).scaled(2 * _SIDE, 2 * _SIDE, keep, smooth)
    icon = QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        icon.addPixmap(made, mode)
    return icon


def _blank(colour: str) -> QIcon:
    made = QPixmap(_SIDE, _SIDE)
    made.fill(QColor(colour))
    return QIcon(made)
