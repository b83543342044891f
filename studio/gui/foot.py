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
    """Shows the newest running job, and how many run besides. `stop` carries its lane."""

    stop = Signal(str)
    page = Signal(str)

    def __init__(self, look: Look, pages: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("foot")
        self.setFixedHeight(32)
        self._look = look
        self._waiting: dict[str, list[str]] = {}
        self._fractions: dict[str, Advance] = {}
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
        self._stop.clicked.connect(lambda: self.stop.emit(self.lane))
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
    def lane(self) -> str:
        """The lane of the job that is shown, "" where nothing runs."""
        return next(reversed(self._waiting), "")

    @property
    def text(self) -> str:
        """What it says about the jobs."""
        return self._text.text()

    def say_engine(self, text: str) -> None:
        self._engine.setText(text)
        self._engine.setToolTip(text)

    def begin(self, lane: str, name: str) -> None:
        """A job was given to `lane`."""
        self._waiting.setdefault(lane, []).append(name)
        self._draw()

    def advance(self, advance: Advance) -> None:
        """A job is further."""
        self._fractions[advance.lane] = advance
        self._draw()

    def end(self, outcome: Outcome) -> None:
        """A job has ended, one way or another: every job that began ends exactly once."""
        left = self._waiting.get(outcome.lane, [])
        if outcome.label in left:
            left.remove(outcome.label)
        if not left:
            self._waiting.pop(outcome.lane, None)
            self._fractions.pop(outcome.lane, None)
        self._draw()

    def _draw(self) -> None:
        lane = self.lane
        for each in (self._bar, self._stop):
            each.setVisible(bool(lane))
        if not lane:
            self._text.setText(T.jobs_idle)
            return
        name, last = self._waiting[lane][-1], self._fractions.get(lane)
        mine = last is not None and last.label == name
        fraction, detail = (last.fraction, last.text) if last is not None and mine else (0.0, "")
        more = T.jobs_more.format(n=len(self._waiting) - 1) if len(self._waiting) > 1 else ""
        self._text.setText("  ·  ".join(filter(None, (name, detail, more))))
        self._bar.setValue(round(fraction * 1000))

    def _dress(self) -> None:
        self._stop.setIcon(icons.icon("close", self._look.theme.muted, size=12))
