"""The releases on a board: what each is, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from studio.gui.boards import words
from studio.gui.looks import fonts, icons
from studio.gui.looks.theme import Look
from studio.gui.panel import Elided, label
from studio.gui.texts.texts import T

if TYPE_CHECKING:
    from studio.boards.report import BoardStatus, Release

OPEN, ACTIVATE, BENCH, DELETE = "open", "activate", "bench", "delete"
_VERBS = (
    (OPEN, "open", T.board_open),
    (ACTIVATE, "play", T.board_activate),
    (BENCH, "clock", T.board_bench_tip),
    (DELETE, "trash", T.board_delete),
)
_SHOWN = 8
_REFUSED = {
    OPEN: frozenset[str](),
    ACTIVATE: frozenset({"active"}),
    BENCH: frozenset[str](),
    DELETE: frozenset({"active", "previous"}),
}


class Releases(QWidget):
    """Sends `wanted(verb, release id)`; the panel does it."""

    wanted = Signal(str, str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look, self.rows = look, list[ReleaseRow]()
        self._none = label(T.board_empty, quiet=True, pixels=12)
        self._list = QVBoxLayout(self)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(6)
        self._list.addWidget(label(T.board_releases, strong=True, pixels=12))
        self._list.addWidget(self._none)
        look.changed.connect(self._dress)

    def show_status(self, status: BoardStatus | None) -> None:
        """List what is on the board, newest first; nothing at all while that is not known."""
        for row in self.rows:
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        shown = status.releases[:_SHOWN] if status else ()
        self.rows = [ReleaseRow(release, self._look) for release in shown]
        for row in self.rows:
            row.wanted.connect(self.wanted)
            self._list.addWidget(row)
        self._none.setVisible(not shown)
        self.setVisible(status is not None)

    def allow(self, free: bool) -> None:
        """Enable what makes sense now; nothing while the board is at work."""
        for row in self.rows:
            row.allow(free)

    def row(self, release: str) -> ReleaseRow | None:
        """The row of a release, by its id."""
        return next((row for row in self.rows if row.release.id == release), None)

    @property
    def text(self) -> str:
        return "\n".join(row.text for row in self.rows) or self._none.text()

    def _dress(self) -> None:
        for row in self.rows:
            row.dress()


class ReleaseRow(QFrame):
    """Id, state and size of one release, with its buttons."""

    wanted = Signal(str, str)

    def __init__(self, release: Release, look: Look) -> None:
        super().__init__()
        self.setObjectName("release")
        self.release, self._look = release, look
        name, said = words.release_line(release)
        self.text = f"{name}\n{said}"
        self.setAccessibleName(f"{name}, {said}")
        self.buttons = {verb: self._button(verb, tip) for verb, _, tip in _VERBS}
        self._arrange(name, said)
        self.dress()

    def _arrange(self, name: str, said: str) -> None:
        title, remark = label(name, pixels=12), Elided(pixels=11, mode=Qt.TextElideMode.ElideRight)
        remark.setObjectName("muted")
        remark.setText(said)
        title.setFont(fonts.medium(12))
        title.setToolTip(self.release.id)
        words_ = QVBoxLayout()
        words_.setSpacing(1)
        for each in (title, remark):
            each.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            words_.addWidget(each)
        remark.setToolTip(said)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 4, 6)
        row.setSpacing(0)
        row.addLayout(words_, 1)
        for button in self.buttons.values():
            row.addWidget(button)

    def _button(self, verb: str, tip: str) -> QToolButton:
        made = QToolButton()
        made.setToolTip(tip)
        made.setAccessibleName(f"{tip}: {self.release.id[:12]}")
        made.setIconSize(QSize(16, 16))
        made.clicked.connect(lambda: self.wanted.emit(verb, self.release.id))
        return made

    def allow(self, free: bool) -> None:
        for verb, button in self.buttons.items():
            button.setEnabled(free and self.release.state not in _REFUSED[verb])

    def dress(self) -> None:
        theme = self._look.theme
        for verb, icon, _ in _VERBS:
            self.buttons[verb].setIcon(icons.icon(icon, theme.text, theme.ghost, 16))
