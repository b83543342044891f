"""The board panel: which boards there are, and the chosen one in detail. All talk runs on lanes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.gui import icons
from studio.gui.boards import asking, words
from studio.gui.boards.add import AddBoard
from studio.gui.boards.detail import Detail
from studio.gui.boards.found import FoundPlaces
from studio.gui.boards.releases import ACTIVATE, BENCH, OPEN
from studio.gui.bridge import Bridge
from studio.gui.panel import Panel
from studio.gui.texts import T
from studio.gui.theme import Look
from studio.jobs import Advance, Outcome
from studio.project.changes import Changed
from studio.session.session import Session

if TYPE_CHECKING:
    from studio.boards.book import Board
    from studio.boards.hostkeys import HostKey
    from studio.boards.seen import LastSeen

_NAME = Qt.ItemDataRole.UserRole
_ROW, _ROWS = 46, 4


class BoardPanel(Panel):
    """Talks to the bridge by itself; the window only shows and hides it."""

    def __init__(self, bridge: Bridge, look: Look, parent: QWidget | None = None) -> None:
        body = QWidget()
        super().__init__(T.boards, body, parent)
        self._bridge, self._look, self._loaded = bridge, look, False
        self._running: Counter[str] = Counter()
        self._seen: Mapping[str, LastSeen] = {}
        self.question: QMessageBox | None = None
        self.list, self.detail = QListWidget(), Detail(look)
        self._tools = {
            "add": self._tool("add", T.board_add, self.ask_for_board),
            "refresh": self._tool("refresh", T.board_refresh, self.look_again),
            "remove": self._tool("remove", T.board_remove, self._forget),
        }
        self._arrange(body)
        self._wire()
        look.changed.connect(self._dress)
        self._dress()

    def _arrange(self, body: QWidget) -> None:
        self.setMinimumWidth(330)
        self.list.setFixedHeight(_ROW + 2)
        self.list.setAccessibleName(T.boards)
        self.scroller = scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.detail)
        whole = QVBoxLayout(body)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addWidget(self.list)
        whole.addWidget(scroll, 1)

    def _wire(self) -> None:
        self.list.currentItemChanged.connect(self.look_again)
        self.detail.push_wanted.connect(self._push)
        self.detail.confirm_wanted.connect(lambda: self._do(asking.confirm))
        self.detail.rollback_wanted.connect(lambda: self._do(asking.rollback))
        self.detail.release_wanted.connect(self._do_release)
        self.detail.profile_wanted.connect(self._profile)
        self.detail.stop_wanted.connect(self._stop)
        self.detail.served.wanted.connect(self._serve)
        self.detail.served.due.connect(self._ask_log)
        self.detail.trust.trusted.connect(self._trust)
        self._bridge.started.connect(self._began)
        self._bridge.advanced.connect(self._advance)
        self._bridge.ended.connect(self._take)
        self._bridge.changed.connect(lambda: self._allow())

    def _tool(self, icon: str, tip: str, act: object) -> QToolButton:
        made = QToolButton()
        made.setToolTip(tip)
        made.setAccessibleName(tip)
        made.setIconSize(QSize(16, 16))
        made.setProperty("glyph", icon)
        made.clicked.connect(act)
        self.tools.addWidget(made)
        return made

    # Asking.

    @property
    def chosen(self) -> str:
        """Name of the chosen board, "" for none."""
        item = self.list.currentItem()
        return str(item.data(_NAME)) if item else ""

    def load(self) -> None:
        """List the boards; done when the panel is first shown."""
        if not self._loaded:
            self._loaded = True
            session = self._bridge.session
            self._bridge.run(asking.LIST, T.boards, lambda _: asking.boards_of(session))

    def look_again(self) -> None:
        """Ask the chosen board for its key and releases."""
        name = self.chosen
        if name:
            self.detail.clear(T.board_asking.format(name=name))
            session = self._bridge.session
            self._run(asking.LOOK, name, lambda control: asking.look_at(session, name, control))

    def ask_for_board(self) -> None:
        """Show the dialog that adds one."""
        dialog = AddBoard(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.wanted.connect(self.add)
        dialog.finished.connect(FoundPlaces(self._bridge, dialog.places, dialog).stop)
        dialog.open()

    def add(self, name: str, host: str, port: int, user: str, key_path: str) -> None:
        """Remember a board; its host key is shown next."""
        from studio.boards.book import Board

        board = Board(name=name, host=host, port=port, user=user, key_path=key_path)
        session = self._bridge.session
        self._run(asking.LIST, name, lambda _: asking.add(session, board))

    def _forget(self) -> None:
        name, session = self.chosen, self._bridge.session
        if name:
            self._run(asking.LIST, name, lambda _: asking.forget(session, name))

    def _trust(self, key: HostKey, replace: bool) -> None:
        name, session = self.chosen, self._bridge.session
        self._run(asking.LOOK, name, lambda control: asking.trust(session, name, key, replace, control))

    def _do(self, verb: Callable[[Session, str], asking.Seen]) -> None:
        name, session = self.chosen, self._bridge.session
        self._run(asking.LOOK, name, lambda _: verb(session, name))

    def _push(self) -> None:
        name, session = self.chosen, self._bridge.session
        label = T.job_push.format(name=name)
        self._bridge.run(asking.PUSH, label, lambda control: session.push(name, control), replace=False)

    def _profile(self) -> None:
        name, session = self.chosen, self._bridge.session
        label = T.job_profile.format(name=name)
        self._bridge.run(asking.PUSH, label, lambda control: session.board_profile(name, control))

    def _serve(self) -> None:
        name, session = self.chosen, self._bridge.session
        self._run(asking.LOOK, name, lambda control: asking.serve(session, name, control))

    def _stop(self) -> None:
        """The job that runs there; where none does, what is kept running."""
        name, session = self.chosen, self._bridge.session
        if self._bridge.busy(asking.PUSH):
            self._bridge.cancel(asking.PUSH)
        else:
            self._run(asking.LOOK, name, lambda _: asking.stop_serving(session, name))

    def _ask_log(self) -> None:
        name, session = self.chosen, self._bridge.session
        if not self._bridge.busy(asking.LOG) and not self._bridge.busy(asking.LOOK):
            work = partial(asking.served, session, name)
            self._bridge.run(asking.LOG, name, lambda _: work(), quiet=True)

    def _do_release(self, verb: str, release: str) -> None:
        name, session = self.chosen, self._bridge.session
        if verb == ACTIVATE:
            self._run(asking.LOOK, name, lambda _: asking.activate(session, name, release))
        elif verb == OPEN:
            self._bridge.open_release(name, release)
        elif verb == BENCH:
            label = T.job_bench.format(name=name)
            self._bridge.run(
                asking.PUSH, label, lambda control: session.board_bench(name, control, release=release)
            )
        else:
            self._ask_delete(name, release)

    def _ask_delete(self, name: str, release: str) -> None:
        session = self._bridge.session
        self.question = ask = QMessageBox(self)
        ask.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ask.setText(T.board_delete_ask.format(release=release[:12], name=name))
        ask.setInformativeText(T.board_delete_why)
        yes = ask.addButton(T.board_delete_yes, QMessageBox.ButtonRole.DestructiveRole)
        ask.addButton(T.cancel, QMessageBox.ButtonRole.RejectRole)
        yes.clicked.connect(
            lambda: self._run(asking.LOOK, name, lambda _: asking.delete(session, name, release))
        )
        ask.open()

    def _run(self, lane: str, name: str, work: asking.Work) -> None:
        self._bridge.run(lane, T.job_board.format(name=name), work)

    # Answers.

    def _began(self, lane: str, label: str) -> None:
        self._running[lane] += 1
        if lane == asking.PUSH:
            self.detail.job.begin(label)
        self._allow()

    def _advance(self, advance: Advance) -> None:
        if advance.lane == asking.PUSH:
            self.detail.job.advance(advance)

    def _take(self, outcome: Outcome) -> None:
        self._running[outcome.lane] -= 1
        if outcome.lane == asking.PUSH and self._running[asking.PUSH] <= 0:
            self.detail.job.end()
        if outcome.error is not None and outcome.lane == asking.LOG:
            self.detail.served.rest()
        if outcome.error is not None and outcome.lane == asking.LOOK:
            self.detail.clear(self._away())
        elif outcome.value is not None:
            self._take_value(outcome.value)
        self._allow()

    def _take_value(self, value: object) -> None:
        if isinstance(value, asking.Seen):
            if value.name == self.chosen:
                self.detail.show_seen(value)
        elif isinstance(value, asking.Known):
            self._seen = value.seen
            self._list(value.boards)
        elif isinstance(value, asking.Served):
            if value.name == self.chosen:
                self.detail.served.show_served(value)
        elif isinstance(value, Changed):
            self._take_pushed(value.value)

    def _take_pushed(self, pushed: object) -> None:
        from studio.boards.report import BoardRun, Pushed

        if isinstance(pushed, BoardRun) and pushed.board == self.chosen:
            self.detail.show_run(pushed)
        if isinstance(pushed, Pushed) and pushed.board == self.chosen:
            self.detail.show_seen(asking.Seen(pushed.board, None, pushed.status))
            self.detail.show_pushed(pushed)

    def _list(self, boards: tuple[Board, ...]) -> None:
        known = {self.list.item(row).data(_NAME) for row in range(self.list.count())}
        before = self.chosen
        fresh = next((board.name for board in boards if known and board.name not in known), "")
        blocked = self.list.blockSignals(True)
        self.list.clear()
        for board in boards:
            where = T.board_here if board.kind == "local" else board.address
            item = QListWidgetItem(f"{board.name}\n{where}")
            item.setData(_NAME, board.name)
            item.setSizeHint(QSize(200, _ROW))
            self.list.addItem(item)
            if board.name == (fresh or before):
                self.list.setCurrentItem(item)
        self.list.setFixedHeight(_ROW * min(len(boards), _ROWS) + 2)
        self.list.blockSignals(blocked)
        if not self.chosen and boards:
            self.list.setCurrentRow(0)
        else:
            self.look_again()

    def _away(self) -> str:
        """No answer, and as what the board was seen last."""
        seen = self._seen.get(self.chosen)
        last = T.board_last_seen.format(seen=seen) if seen else ""
        return "\n".join(filter(None, (T.board_away, last)))

    def _allow(self) -> None:
        model = self._bridge.session.document is not None
        self.detail.show_likely(words.likely_lines(self._bridge.session, self.chosen))
        busy = self._running[asking.PUSH] > 0 or self._running[asking.LOOK] > 0
        self.detail.allow(model, busy, self._running[asking.PUSH] > 0)
        self._tools["remove"].setEnabled(self.list.currentRow() > 0)

    def _dress(self) -> None:
        theme = self._look.theme
        for tool in self._tools.values():
            tool.setIcon(icons.icon(str(tool.property("glyph")), theme.text, theme.ghost, 16))
