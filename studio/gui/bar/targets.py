"""The menu of what a file can be built for: this computer, boards that were probed, shipped targets."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from studio import processor
from studio.gui.texts.texts import T
from studio.session.targets import HERE, Choice


class TargetMenu(QMenu):
    """Asks anew for its choices whenever it opens: a board may have been probed meanwhile."""

    wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices: Callable[[], tuple[Choice, ...]] = tuple
        self._current: Callable[[], str] = str
        self._group: QActionGroup | None = None
        self.aboutToShow.connect(self.fill)

    def ask(self, choices: Callable[[], tuple[Choice, ...]], current: Callable[[], str]) -> None:
        """Where choices come from, and the name of the target at hand."""
        self._choices, self._current = choices, current

    def fill(self) -> None:
        """Rows of this computer and of boards, then the shipped targets, one of them marked."""
        self.clear()
        self._group = QActionGroup(self)
        last = True
        for each in self._choices():
            place = each.key == HERE or each.key.startswith("@")
            if last and not place:
                self.addSeparator()
            last = place
            self._add(each, marked=not place and each.target == self._current())

    def _add(self, choice: Choice, marked: bool) -> None:
        made = QAction(words(choice), self._group)
        made.setCheckable(not (choice.key == HERE or choice.key.startswith("@")))
        made.setChecked(marked)
        made.triggered.connect(lambda _=False: self.wanted.emit(choice.key))
        self.addAction(made)


def words(choice: Choice) -> str:
    """What a person reads of it."""
    if choice.key == HERE:
        return T.target_here.format(cpu=processor.here())
    if choice.key.startswith("@"):
        return T.target_board.format(name=choice.key[1:], title=choice.title)
    return choice.title
