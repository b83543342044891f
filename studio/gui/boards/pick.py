"""Open from a board: the known ones in the palette; the chosen one's active release is fetched and opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from PySide6.QtCore import QObject, Slot

from studio.gui.bar.palette import Entry, Palette
from studio.gui.boards import asking
from studio.gui.bridge import Bridge
from studio.gui.texts.texts import T
from studio.jobs import Outcome

PICK = "board-pick"


class BoardPick(QObject):
    """`ask` shows the list as soon as it is read; `add` is done where a new board is wanted."""

    def __init__(self, bridge: Bridge, palette: Palette, add: Callable[[], object]) -> None:
        super().__init__(bridge)
        self._bridge, self._palette, self._add = bridge, palette, add
        bridge.ended.connect(self._take)

    @Slot()
    def ask(self) -> None:
        """Read the list of boards outside the GUI thread: the link library takes its time to load."""
        session = self._bridge.session
        self._bridge.run(PICK, T.boards, lambda _: asking.boards_of(session))

    @Slot(object)
    def _take(self, outcome: Outcome) -> None:
        if outcome.lane == PICK and isinstance(outcome.value, asking.Known):
            self._palette.offer(self._entries(outcome.value), T.board_pick)

    def _entries(self, known: asking.Known) -> Iterator[Entry]:
        for board in known.boards:
            seen = known.seen.get(board.name)
            where = T.board_here if board.kind == "local" else board.address
            hint = "  ·  ".join(filter(None, (where, str(seen or ""))))
            yield Entry(board.name, hint, partial(self._bridge.open_release, board.name))
        yield Entry(T.board_add, "", self._add)
