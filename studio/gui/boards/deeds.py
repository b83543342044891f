"""What can be done with a board from its panel: every verb on its lane, never in the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from studio.control import Control
from studio.gui.boards import asking
from studio.gui.boards.releases import ACTIVATE, BENCH, OPEN
from studio.gui.bridge import Bridge
from studio.gui.texts.texts import T
from studio.jobs import Outcome
from studio.session.session import Session

if TYPE_CHECKING:
    from studio.boards.links.hostkeys import HostKey


class Deeds(QObject):
    """Takes the name of the board. Answers come with the bridge's `ended`."""

    def __init__(self, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge, self._session = bridge, bridge.session
        self._at_work: dict[int, str] = {}  # boards by the ticket of the job that runs there
        bridge.ended.connect(self._take)

    def list(self) -> None:
        """Which boards there are."""
        self._bridge.run(asking.LIST, T.boards, lambda _: asking.boards_of(self._session))

    def look(self, name: str) -> None:
        """Ask for its key and releases."""
        self._do(name, lambda control: asking.look_at(self._session, name, control))

    def add(self, name: str, host: str, port: int, user: str, key_path: str = "", sign_key: str = "") -> None:
        """Remember a board; its host key is shown next."""
        from studio.boards.book import Board

        signs = str(Path(sign_key).expanduser()) if sign_key else ""
        board = Board(name=name, host=host, port=port, user=user, key_path=key_path, sign_key=signs)
        self._do(name, lambda _: asking.add(self._session, board), asking.LIST)

    def forget(self, name: str) -> None:
        self._do(name, lambda _: asking.forget(self._session, name), asking.LIST)

    def trust(self, name: str, key: HostKey, replace: bool) -> None:
        """Accept the key that the user has seen."""
        self._do(name, lambda control: asking.trust(self._session, name, key, replace, control))

    def simply(self, name: str, verb: Callable[[Session, str], asking.Seen]) -> None:
        """Confirm, or roll back."""
        self._do(name, lambda _: verb(self._session, name))

    def push(self, name: str) -> None:
        """Push the measured file; behind a push that runs."""
        self._work(name, T.job_push, lambda control: self._session.push(name, control), replace=False)

    def profile(self, name: str) -> None:
        self._work(name, T.job_profile, lambda control: self._session.board_profile(name, control))

    def serve(self, name: str) -> None:
        """Keep the active release running."""
        self._do(name, lambda control: asking.serve(self._session, name, control))

    def stop(self, name: str) -> None:
        """The job that runs there; where none does, what is kept running."""
        mine = [ticket for ticket, board in self._at_work.items() if board == name]
        for ticket in mine:
            self._bridge.cancel_job(ticket)
        if not mine:
            self._do(name, lambda _: asking.stop_serving(self._session, name))

    def ask_log(self, name: str) -> None:
        """What is kept running and its log, unless somebody is asking already."""
        if not self._bridge.busy(asking.LOG) and not self._bridge.busy(asking.LOOK):
            self._bridge.run(asking.LOG, name, lambda _: asking.served(self._session, name), quiet=True)

    def release(self, name: str, verb: str, release: str) -> None:
        """One of `releases`' verbs, but for deleting, which asks first."""
        if verb == OPEN:
            self._bridge.open_release(name, release)
        elif verb == ACTIVATE:
            self._do(name, lambda _: asking.activate(self._session, name, release))
        elif verb == BENCH:
            timed = self._session.board_bench
            self._work(name, T.job_bench, lambda control: timed(name, control, release=release))

    def delete(self, name: str, release: str) -> None:
        self._do(name, lambda _: asking.delete(self._session, name, release))

    def _do(self, name: str, work: asking.Work, lane: str = asking.LOOK) -> None:
        self._bridge.run(lane, T.job_board.format(name=name), work)

    def _work(self, name: str, label: str, work: Callable[[Control], object], replace: bool = True) -> None:
        ticket = self._bridge.run(asking.PUSH, label.format(name=name), work, replace)
        self._at_work[ticket] = name

    @Slot(object)
    def _take(self, outcome: Outcome) -> None:
        self._at_work.pop(outcome.ticket, None)
