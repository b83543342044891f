"""One board: its state, what can be done, its releases, and what the last run there measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.gui.boards import words
from studio.gui.boards.card import FactsCard
from studio.gui.boards.job import JobBox
from studio.gui.boards.releases import Releases
from studio.gui.boards.served import ServedBox
from studio.gui.boards.trust import TrustBox
from studio.gui.looks import fonts
from studio.gui.looks.theme import Look
from studio.gui.panel import label
from studio.gui.texts.texts import T

if TYPE_CHECKING:
    from studio.boards.report import BoardRun, BoardStatus, Pushed
    from studio.gui.boards.asking import Seen


class Detail(QWidget):
    """Sends what was asked for; the panel does it."""

    push_wanted = Signal()
    confirm_wanted = Signal()
    rollback_wanted = Signal()
    profile_wanted = Signal()
    stop_wanted = Signal()
    release_wanted = Signal(str, str)

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("detail")
        self._look = look
        self.state = label(quiet=True, pixels=12)
        self.state.setWordWrap(True)
        self.trust = TrustBox(look)
        self.push = _button(T.board_push, T.board_push_tip, self.push_wanted)
        self.push.setObjectName("primary")
        self.confirm = _button(T.board_confirm, T.board_confirm_tip, self.confirm_wanted)
        self.rollback = _button(T.board_rollback, T.board_rollback_tip, self.rollback_wanted)
        self.stop = _button(T.board_stop, T.board_stop_tip, self.stop_wanted)
        self.card, self.job, self.served = FactsCard(look), JobBox(), ServedBox()
        self.profile = _button(T.board_profile, T.board_profile_tip, self.profile_wanted)
        self.likely = _Table(T.board_likely, look)
        self._likely_lines: tuple[words.Line, ...] = ()
        self._status: BoardStatus | None = None
        self._run, self.releases = _Table(T.board_run, look), Releases(look)
        self.releases.wanted.connect(self.release_wanted)
        self._arrange()
        self.clear("")

    def _arrange(self) -> None:
        three = QHBoxLayout()
        three.setSpacing(8)
        for button in (self.confirm, self.rollback, self.stop):
            three.addWidget(button, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(14, 4, 14, 8)
        whole.setSpacing(10)
        whole.addWidget(self.state)
        whole.addWidget(self.trust)
        whole.addWidget(self.card)
        whole.addWidget(self.push)
        whole.addLayout(three)
        whole.addWidget(self.job)
        whole.addWidget(self.profile)
        whole.addSpacing(6)
        whole.addWidget(self.likely)
        whole.addWidget(self._run)
        whole.addWidget(self.served)
        whole.addWidget(self.releases)
        whole.addStretch(1)

    def clear(self, text: str) -> None:
        """Nothing is known yet; say `text`."""
        self._status = None
        self.card.show_facts(None, ())
        self.served.show_served(None)
        self.state.setText(text)
        self.state.setVisible(bool(text))
        self.trust.show_key("", None)
        self._run.show_lines(())
        self.show_likely(())
        self.releases.show_status(None)
        self.allow(False)

    def show_seen(self, seen: Seen) -> None:
        """What a board showed: its key to decide on, or its state and releases."""
        self.trust.show_key(seen.name, seen.key)
        self._status = seen.status
        if seen.status is None:
            self.state.hide()
            return
        if seen.facts is not None:
            self.card.show_facts(seen.facts, seen.remarks)
        if seen.served is not None:
            self.served.show_served(seen.served)
        self.state.show()
        self.state.setText(words.state_line(seen.status))
        self.releases.show_status(seen.status)

    def show_pushed(self, pushed: Pushed) -> None:
        """What a push did and measured."""
        self.show_run(pushed.run)
        reason = "" if pushed.activated else pushed.reason
        state = words.state_line(pushed.status)
        self.state.setText("\n".join(filter(None, (state, words.pushed_line(pushed), reason))))

    def show_run(self, run: BoardRun) -> None:
        self._run.show_lines(words.run_lines(run), bad=not run.proved)

    def show_likely(self, lines: tuple[words.Line, ...]) -> None:
        """What the recipe at hand should take there; nothing is laid out anew where it is the same."""
        if lines != self._likely_lines:
            self._likely_lines = lines
            self.likely.show_lines(lines)

    def allow(self, model: bool, busy: bool = False, job: bool = False) -> None:
        """Enable what makes sense now; `job`: something runs that can be stopped."""
        status = self._status
        self.push.setEnabled(model and status is not None and not busy)
        self.profile.setEnabled(model and status is not None and not busy)
        self.confirm.setEnabled(status is not None and status.state == "unconfirmed" and not busy)
        self.rollback.setEnabled(status is not None and bool(status.previous) and not busy)
        self.stop.setEnabled(job or (self.served.running and not busy))
        self.served.button.setEnabled(status is not None and bool(status.active) and not busy)
        self.releases.allow(not busy)

    @property
    def text(self) -> str:
        """Everything it says, for tests and for reading aloud."""
        told = (self.state.text(), self.card.text, self.job.text, self.likely.text, self._run.text)
        return "\n".join((*told, self.served.text, self.releases.text)).strip()


class _Table(QWidget):
    """A titled list of names and texts; hidden while empty."""

    def __init__(self, title: str, look: Look) -> None:
        super().__init__()
        self._look, self._cells = look, list[QLabel]()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(label(title, strong=True, pixels=12), 0, 0, 1, 2)
        self.hide()

    def show_lines(self, lines: tuple[words.Line, ...], bad: bool = False) -> None:
        for cell in self._cells:
            self._grid.removeWidget(cell)
            cell.deleteLater()
        self._cells = []
        for row, (name, text) in enumerate(lines, start=1):
            self._put(label(name, quiet=bool(text), pixels=12), row, 0)
            if text:
                value = label(text, pixels=12)
                value.setFont(fonts.medium(12))
                value.setWordWrap(True)
                self._put(value, row, 1)
                if bad and row == 1:
                    value.setStyleSheet(f"color: {self._look.theme.bad};")
        self.setVisible(bool(lines))

    def _put(self, cell: QLabel, row: int, column: int) -> None:
        cell.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._cells.append(cell)
        self._grid.addWidget(cell, row, column)

    @property
    def text(self) -> str:
        return "\n".join(cell.text() for cell in self._cells)


def _button(text: str, tip: str, signal: object) -> QPushButton:
    made = QPushButton(text)
    made.setToolTip(tip)
    made.clicked.connect(signal)
    return made
