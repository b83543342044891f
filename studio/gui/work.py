"""The page: cards on top, graph and layers in the middle, panels below, boards aside. Before a model is open
the start view stands in the middle, and a panel that needs none takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from studio.gui.boards.panel import BoardPanel
from studio.gui.bridge import Bridge
from studio.gui.desk import Desk, Selection
from studio.gui.figures.cards import Card
from studio.gui.graph.room import GraphRoom
from studio.gui.layers.doing import Doing
from studio.gui.layers.panel import LayersPanel
from studio.gui.looks.theme import Look
from studio.gui.pages import PAGES
from studio.gui.panel import Panel
from studio.gui.texts.texts import T
from studio.gui.welcome.help import name_topic
from studio.gui.welcome.start import StartView

_GAP = 12
_DRAWER = 350
_WIDE = 1300
_LOW, _TALL = 215, 330
START = "start"
Kind = TypeVar("Kind", bound=QWidget)
_TITLES = (T.card_size, T.card_accuracy, T.card_difference, T.card_latency)


@dataclass(frozen=True, slots=True)
class Cards:
    """The row of headline figures."""

    size: Card
    accuracy: Card
    difference: Card
    latency: Card

    def all(self) -> tuple[Card, ...]:
        return self.size, self.accuracy, self.difference, self.latency


class WorkPage(QWidget):
    """Only places the parts; the presenter fills them."""

    def __init__(self, bridge: Bridge, look: Look, start: StartView) -> None:
        super().__init__()
        self._look, self._start = look, start
        self.cards = Cards(*(Card(title, look) for title in _TITLES))
        self.room = GraphRoom(bridge)
        self.graph = self.room.original
        self.graph_panel = Panel(T.graph, self.room)
        for switch in (self.room.netron_switch, self.room.switch):
            self.graph_panel.tools.addWidget(switch)
        self.layers = LayersPanel(look)
        self.layers.view.setTabKeyNavigation(False)  # Tab leaves the table; arrows go from cell to cell
        self.doing = Doing(self.layers.view, bridge)
        self.boards = BoardPanel(bridge, look)
        self.selection = Selection(self)
        desk = Desk(bridge, look, self.selection)
        self._pages = {page.key: page.make(desk) for page in PAGES}
        for key, topic in (*self._pages.items(), *self._upper()):
            name_topic(topic, key)
        self._below, self._front, self._headlines = QStackedWidget(), QStackedWidget(), QWidget()
        self._arrange()
        look.changed.connect(self._dress)
        self._dress()

    def _arrange(self) -> None:
        cards = QHBoxLayout(self._headlines)
        cards.setContentsMargins(0, 0, 0, 0)
        cards.setSpacing(_GAP)
        for card in self.cards.all():
            cards.addWidget(card, 1)
        self._arrange_middle()
        for part in self._pages.values():
            self._below.addWidget(part)
        whole = self._whole = _splitter(Qt.Orientation.Vertical, self._middle, self._below)
        whole.setSizes([500, 215])
        whole.setStretchFactor(0, 3)
        whole.setStretchFactor(1, 1)
        page = QVBoxLayout(self)
        page.setContentsMargins(14, 12, 14, 12)
        page.setSpacing(_GAP)
        page.addWidget(self._headlines)
        page.addWidget(whole, 1)
        self._headlines.hide()
        self._below.hide()

    def _arrange_middle(self) -> None:
        self._twins = _splitter(Qt.Orientation.Horizontal, self.graph_panel, self.layers)
        self.graph_panel.setMinimumWidth(340)
        self.graph_panel.installEventFilter(self)
        self._twins.setSizes([560, 912])
        self._twins.setStretchFactor(0, 2)
        self._twins.setStretchFactor(1, 3)
        self.room.wide.connect(self._widen)
        for each in (self._start, self._twins):
            self._front.addWidget(each)
        self._middle = _splitter(Qt.Orientation.Horizontal, self._front, self.boards)
        self._middle.setStretchFactor(0, 1)
        self._middle.setStretchFactor(1, 0)
        self.boards.hide()

    def _upper(self) -> tuple[tuple[str, QWidget], ...]:
        parts = {START: self._start, "graph": self.graph_panel, "layers": self.layers, "boards": self.boards}
        return tuple(parts.items())

    @property
    def blank(self) -> bool:
        """Whether no model was opened yet."""
        return self._front.currentWidget() is self._start

    def show_model(self) -> None:
        """A model is open: give it the room."""
        if self.blank:
            self._front.setCurrentWidget(self._twins)
            for part in (self._headlines, self._middle, self._below):
                part.show()

    def show_boards(self, shown: bool) -> None:
        """Show or hide the board panel."""
        self._middle.show()
        self._below.setVisible(not self.blank)
        self.boards.setVisible(shown)
        self._make_room()
        room = self._middle.width() - (_DRAWER if shown else 0)
        self._middle.setSizes([room, _DRAWER])
        self._twins.setSizes([round(room * 0.36), round(room * 0.64)])
        QTimer.singleShot(0, self.graph.fit)
        if shown:
            self.boards.load()

    def _widen(self, wide: bool) -> None:
        """Two graphs side by side need more room than one."""
        room, share = self._twins.width(), 0.6 if wide else 0.36
        self._twins.setSizes([round(room * share), round(room * (1 - share))])

    @property
    def shown_page(self) -> str:
        """Which page is shown below, or `START`."""
        if self.blank and self._below.isHidden():
            return START
        return PAGES[self._below.currentIndex()].key

    def of(self, kind: type[Kind]) -> Kind:
        """The panel of this class below the layers."""
        return next(page for page in self._pages.values() if isinstance(page, kind))

    def show_page(self, key: str) -> None:
        """Show one of `PAGES` below, with the height that it needs; before a model is open, in place of the
        start view, to which `START` goes back.
        """
        if self.blank:
            self._middle.setVisible(key == START)
            self._below.setHidden(key == START)
        if key == START:
            return
        self._below.setCurrentWidget(self._pages[key])
        upper, lower = self._whole.sizes()
        least = _TALL if next(page.tall for page in PAGES if page.key == key) else _LOW
        if 0 < lower < least or (lower == _TALL and least == _LOW):
            self._whole.setSizes([upper + lower - least, least])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """In a narrow window the drawer takes the graph's place, not the sliders'."""
        self.graph_panel.setVisible(self.boards.isHidden() or self.width() >= _WIDE)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A narrow graph does without its tools; keys still do their work."""
        if event.type() == QEvent.Type.Resize:
            self.graph.toolbar.setVisible(
                self.graph_panel.width() >= self.graph.toolbar.minimumSizeHint().width()
            )
        return super().eventFilter(watched, event)

    def _dress(self) -> None:
        self.room.set_theme(self._look.theme)


def _splitter(direction: Qt.Orientation, *parts: QWidget) -> QSplitter:
    made = QSplitter(direction)
    made.setHandleWidth(_GAP)
    made.setChildrenCollapsible(False)
    for part in parts:
        made.addWidget(part)
    return made
