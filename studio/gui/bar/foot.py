"""The foot of the window: what runs, how far it is, how to stop it; and the engine beside it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QProgressBar, QToolButton, QWidget

from studio.gui.bar.vitals import Vitals
from studio.gui.looks import icons
from studio.gui.looks.theme import Look
from studio.gui.panel import Elided
from studio.gui.texts.texts import T
from studio.jobs import Advance, Outcome

_ROOMY, _WIDE = 1400, 1700
_GAP, _LEFT, _REST = 10, 250, 80  # the job at the left; the menu of the rest and the margins


class Foot(QFrame):
    """Shows the newest running job, and how many run besides. `stop` carries its ticket."""

    stop = Signal(int)
    page = Signal(str)

    def __init__(self, look: Look, pages: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("foot")
        self.setFixedHeight(32)
        self._look = look
        self._waiting: dict[int, str] = {}  # labels by ticket, the newest last
        self._advances: dict[int, Advance] = {}
        self._text, self._engine = Elided(pixels=12, mode=Qt.TextElideMode.ElideRight), Elided(pixels=12)
        self._engine.setObjectName("muted")
        self._engine.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.vitals = Vitals()
        self._bar, self._stop = QProgressBar(), QToolButton()
        self.pages = {key: self._page_button(key, text) for key, text in pages}
        self._offered: Collection[str] = ()
        self.rest, self._rest_menu = QToolButton(), QMenu(self)
        self._arrange()
        look.changed.connect(self._dress)
        self._dress()
        self._draw()

    def _arrange(self) -> None:
        self._bar.setRange(0, 1000)
        self._bar.setFixedWidth(80)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(T.jobs_idle)
        self._stop.setFixedSize(22, 22)
        self._stop.setIconSize(QSize(12, 12))
        self._stop.setToolTip(T.cancel)
        self._stop.setAccessibleName(T.cancel)
        self._stop.setStyleSheet("padding: 0px;")
        self._stop.clicked.connect(lambda: self.stop.emit(self.ticket))
        left = QWidget()
        left.setFixedWidth(_LEFT)  # whatever runs: the pages beside it must not move
        job = QHBoxLayout(left)
        job.setContentsMargins(0, 0, 0, 0)
        job.setSpacing(_GAP)
        job.addWidget(self._text, 1)
        for each in (self._bar, self._stop):
            job.addWidget(each)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 14, 0)
        row.setSpacing(_GAP)
        row.addWidget(left)
        row.addStretch(1)
        for button in self.pages.values():
            row.addWidget(button)
        self.rest.setObjectName("page")
        self.rest.setText("…")
        self.rest.setAccessibleName(T.pages_more)
        self.rest.setToolTip(T.pages_more)
        self.rest.setMenu(self._rest_menu)
        self.rest.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row.addWidget(self.rest)
        row.addStretch(1)
        row.addWidget(self._engine)
        row.addWidget(self.vitals)

    def _page_button(self, key: str, text: str) -> QToolButton:
        made = QToolButton()
        made.setObjectName("page")
        made.setText(text)
        made.setCheckable(True)
        made.setAutoExclusive(True)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.clicked.connect(lambda: self.page.emit(key))
        made.hide()
        return made

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow window does without what is only good to know."""
        super().resizeEvent(event)
        self.vitals.setVisible(self.width() >= _ROOMY)
        self._engine.setVisible(self.width() >= _WIDE)
        self._fit()

    def show_page(self, key: str) -> None:
        """Which page is open."""
        for name, button in self.pages.items():
            button.setChecked(name == key)
        self._fit()

    def offer(self, keys: Collection[str]) -> None:
        """Which pages there are to go to."""
        self._offered = keys
        self._fit()

    def _fit(self) -> None:
        """Pages that have no room go into a menu, the last first; the open one stays."""
        wide = {key: self.pages[key].sizeHint().width() + _GAP for key in self.pages if key in self._offered}
        vital = self.vitals.sizeHint().width() + _GAP if self.width() >= _ROOMY else 0
        room, out = self.width() - _LEFT - vital - _REST, list[str]()
        for key in reversed(wide):
            if sum(wide.values()) - sum(wide[each] for each in out) <= room:
                break
            if not self.pages[key].isChecked():
                out.append(key)
        for key, button in self.pages.items():
            button.setVisible(key in wide and key not in out)
        self._rest_menu.clear()
        for key in reversed(out):
            self._rest_menu.addAction(self.pages[key].text(), partial(self.page.emit, key))
        self.rest.setVisible(bool(out))

    @property
    def ticket(self) -> int:
        """Which job is shown, 0 where nothing runs."""
        return next(reversed(self._waiting), 0)

    @property
    def text(self) -> str:
        """What it says about the jobs."""
        return self._text.text()

    def say_engine(self, text: str) -> None:
        self._engine.setText(text)
        self._engine.setToolTip(text)

    def begin(self, lane: str, label: str, ticket: int) -> None:
        """A job was given to `lane`."""
        self._waiting[ticket] = label
        self._draw()

    def advance(self, advance: Advance) -> None:
        """A job is further."""
        if advance.ticket in self._waiting:
            self._advances[advance.ticket] = advance
            self._draw()

    def end(self, outcome: Outcome) -> None:
        """A job has ended, one way or another: every job that began ends exactly once."""
        self._waiting.pop(outcome.ticket, None)
        self._advances.pop(outcome.ticket, None)
        self._draw()

    def _draw(self) -> None:
        ticket = self.ticket
        for each in (self._bar, self._stop):
            each.setVisible(bool(ticket))
        if not ticket:
            self._text.setText(T.jobs_idle)
            self._text.setToolTip("")
            return
        last = self._advances.get(ticket)
        fraction, detail = (last.fraction, last.text) if last else (0.0, "")
        more = T.jobs_more.format(n=len(self._waiting) - 1) if len(self._waiting) > 1 else ""
        text = "  ·  ".join(filter(None, (self._waiting[ticket], detail, more)))
        self._text.setText(text)
        self._text.setToolTip(text)  # whole, where it has to end in …
        self._bar.setValue(round(fraction * 1000))

    def _dress(self) -> None:
        self._stop.setIcon(icons.icon("close", self._look.theme.muted, size=12))
