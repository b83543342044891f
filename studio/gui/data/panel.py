"""The data panel: how the data was understood, some samples, and a warning where that seems wrong."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QColor, QIcon, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QListWidgetItem, QStackedWidget, QVBoxLayout, QWidget

from studio.data.reference import DataFacts
from studio.gui.bridge import SAMPLES
from studio.gui.data import words
from studio.gui.desk import Desk
from studio.gui.figures.factsheet import FactSheet
from studio.gui.figures.tiles import Tiles, blank, icon
from studio.gui.panel import Panel, label
from studio.gui.texts.texts import T
from studio.jobs import Outcome
from studio.metrics import Comparison
from studio.project.changes import Changed
from studio.session.sampling import Samples

_FACTS, _WIDER = 400, 56


class DataPanel(Panel):
    """Asks for samples only while it is seen, once for each data set."""

    def __init__(self, desk: Desk) -> None:
        self._stack = QStackedWidget()
        super().__init__(T.samples, self._stack)
        self._bridge, self._look = desk.bridge, desk.look
        self._asked: DataFacts | None = None
        self._samples: Samples | None = None
        self.none, self.doubt = label(T.samples_none, quiet=True), label()
        self.facts, self.list = FactSheet(_FACTS), Tiles(T.samples, _WIDER)
        self._arrange()
        desk.bridge.changed.connect(self._follow)
        desk.bridge.ended.connect(self._take)
        desk.look.changed.connect(self._draw)

    def _arrange(self) -> None:
        self.none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.doubt.setObjectName("doubt")
        self.doubt.setWordWrap(True)
        self.doubt.hide()
        body, whole, row = QWidget(), QVBoxLayout(), QHBoxLayout()
        row.addWidget(self.facts)
        row.addWidget(self.list, 1)
        whole.setContentsMargins(6, 0, 10, 0)
        whole.addWidget(self.doubt)
        whole.addLayout(row, 1)
        body.setLayout(whole)
        for widget in (self.none, body):
            self._stack.addWidget(widget)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        data = self._data
        if self.isVisible() and data is not None and data is not self._asked:
            self._asked, self._samples = data, None
            self._bridge.run(SAMPLES, T.job_samples, self._bridge.session.samples)
        self._draw()

    @Slot(object)
    def _take(self, outcome: Outcome) -> None:
        if outcome.lane == SAMPLES and isinstance(outcome.value, Changed):
            self._samples = outcome.value.value
            self._draw()

    @property
    def _data(self) -> DataFacts | None:
        document = self._bridge.session.document
        return document.data if document is not None else None

    @property
    def _comparison(self) -> Comparison | None:
        measured = self._bridge.session.measured
        return measured.comparison if measured is not None else None

    @Slot()
    def _draw(self) -> None:
        data = self._data
        self._stack.setCurrentIndex(int(data is not None))
        if data is None or not self.isVisible():
            return
        seen = self._samples if self._samples is not None and self._samples.of is data else None
        look = seen.look if seen is not None else None
        self.facts.show_lines(words.facts(self._bridge.session.facts, data, look, self._comparison))
        doubt = words.doubt(data, self._comparison)
        self.doubt.setText(doubt)
        self.doubt.setVisible(bool(doubt))
        self.say(words.remark(look) if look is not None else T.samples_reading)
        self._show_tiles(seen)

    def _show_tiles(self, seen: Samples | None) -> None:
        theme, missing = self._look.theme, blank(self._look.theme.raised)
        pictures: dict[int, QIcon] = {each.sample: icon(each) for each in seen.pictures} if seen else {}
        self.list.clear()
        for answer in seen.look.answers if seen else ():
            item = QListWidgetItem(pictures.get(answer.sample, missing), words.under(answer))
            item.setForeground(QColor(words.tone(answer, theme)))
            item.setToolTip(words.tip(answer))
            self.list.addItem(item)
