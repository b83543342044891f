"""The foot of the window: what runs, how far it is, how to stop it; and the engine beside it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QToolButton, QWidget

from studio.gui import icons
from studio.gui.panel import Elided, label
from studio.gui.texts import T
from studio.gui.theme import Look
from studio.gui.vitals import Vitals
from studio.jobs import Advance, Outcome

_ROOMY = 1400


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
        self._text, self._engine = label(T.jobs_idle, pixels=12), Elided(pixels=12)
        self._engine.setObjectName("muted")
        self._engine.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.vitals = Vitals()
        self._bar, self._stop = QProgressBar(), QToolButton()
        self.pages = {key: self._page_button(key, text) for key, text in pages}
        self._arrange()
        look.changed.connect(self._dress)
        self._dress()
        self._draw()

    def _arrange(self) -> None:
        self._bar.setRange(0, 1000)
        self._bar.setFixedWidth(170)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(T.jobs_idle)
        self._stop.setFixedSize(22, 22)
        self._stop.setIconSize(QSize(12, 12))
        self._stop.setToolTip(T.cancel)
        self._stop.setAccessibleName(T.cancel)
        self._stop.setStyleSheet("padding: 0px;")
        self._stop.clicked.connect(lambda: self.stop.emit(self.ticket))
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 14, 0)
        row.setSpacing(10)
        for each in (self._text, self._bar, self._stop):
            row.addWidget(each)
        row.addStretch(1)
        for button in self.pages.values():
            row.addWidget(button)
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

    def show_page(self, key: str) -> None:
        """Which page is open."""
        for name, button in self.pages.items():
            button.setChecked(name == key)

    def offer(self, keys: Collection[str]) -> None:
        """Which pages there are to go to."""
        for name, button in self.pages.items():
            button.setVisible(name in keys)

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
            return
        last = self._advances.get(ticket)
        fraction, detail = (last.fraction, last.text) if last else (0.0, "")
        more = T.jobs_more.format(n=len(self._waiting) - 1) if len(self._waiting) > 1 else ""
        self._text.setText("  ·  ".join(filter(None, (self._waiting[ticket], detail, more))))
        self._bar.setValue(round(fraction * 1000))

    def _dress(self) -> None:
        self._stop.setIcon(icons.icon("close", self._look.theme.muted, size=12))
