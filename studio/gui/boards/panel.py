"""The board panel: which boards there are, and the chosen one in detail. All talk runs on lanes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
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

from studio.gui.boards import asking, words
from studio.gui.boards.add import AddBoard
from studio.gui.boards.deeds import Deeds
from studio.gui.boards.detail import Detail
from studio.gui.boards.found import FoundPlaces
from studio.gui.boards.releases import DELETE
from studio.gui.boards.secret import SecretBox
from studio.gui.bridge import Bridge
from studio.gui.looks import icons
from studio.gui.looks.theme import Look
from studio.gui.panel import Panel
from studio.gui.texts.texts import T
from studio.jobs import Advance, Outcome
from studio.project.changes import Changed

if TYPE_CHECKING:
    from studio.boards.book import Board
    from studio.boards.seen import LastSeen

_NAME = Qt.ItemDataRole.UserRole
_ROW, _ROWS = 46, 4


class BoardPanel(Panel):
    """Talks to the bridge by itself; the window only shows and hides it."""

    def __init__(self, bridge: Bridge, look: Look, parent: QWidget | None = None) -> None:
        body = QWidget()
        super().__init__(T.boards, body, parent)
        self._bridge, self._look, self._loaded = bridge, look, False
        self.deeds = Deeds(bridge, self)
        self._running: Counter[str] = Counter()
        self._seen: Mapping[str, LastSeen] = {}
        self.question: QMessageBox | None = None
        self.list, self.detail, self.secret = QListWidget(), Detail(look), SecretBox(look)
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
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows what has the focus inside
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.detail)
        whole = QVBoxLayout(body)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addWidget(self.list)
        whole.addWidget(self.secret)
        whole.addWidget(scroll, 1)

    def _wire(self) -> None:
        detail, deeds = self.detail, self.deeds
        self.list.currentItemChanged.connect(self.look_again)
        detail.push_wanted.connect(lambda: deeds.push(self.chosen))
        detail.confirm_wanted.connect(lambda: deeds.simply(self.chosen, asking.confirm))
        detail.rollback_wanted.connect(lambda: deeds.simply(self.chosen, asking.rollback))
        detail.release_wanted.connect(self._do_release)
        detail.profile_wanted.connect(lambda: deeds.profile(self.chosen))
        detail.stop_wanted.connect(lambda: deeds.stop(self.chosen))
        detail.served.wanted.connect(lambda: deeds.serve(self.chosen))
        detail.served.due.connect(lambda: deeds.ask_log(self.chosen))
        detail.trust.trusted.connect(lambda key, replace: deeds.trust(self.chosen, key, replace))
        self.secret.answered.connect(self._bridge.answer)
        self.secret.left.connect(self.list.setFocus)
        self._bridge.asked.connect(self.secret.take)
        self._bridge.settled.connect(self.secret.settle)
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
            self.deeds.list()

    def look_again(self) -> None:
        """Ask the chosen board for its key and releases."""
        self.secret.declined = ""
        if self.chosen:
            self.detail.clear(T.board_asking.format(name=self.chosen))
            self.deeds.look(self.chosen)

    def ask_for_board(self) -> None:
        """Show the dialog that adds one."""
        dialog = AddBoard(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.wanted.connect(self.deeds.add)
        dialog.finished.connect(FoundPlaces(self._bridge, dialog.places, dialog).stop)
        dialog.show()  # not `open`, which would keep the user from the window meanwhile

    def _forget(self) -> None:
        if self.chosen:
            self.deeds.forget(self.chosen)

    def _do_release(self, verb: str, release: str) -> None:
        if verb == DELETE:
            self._ask_delete(self.chosen, release)
        else:
            self.deeds.release(self.chosen, verb, release)

    def _ask_delete(self, name: str, release: str) -> None:
        self.question = ask = QMessageBox(self)
        ask.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ask.setText(T.board_delete_ask.format(release=release[:12], name=name))
        ask.setInformativeText(T.board_delete_why)
        yes = ask.addButton(T.board_delete_yes, QMessageBox.ButtonRole.DestructiveRole)
        ask.addButton(T.cancel, QMessageBox.ButtonRole.RejectRole)
        yes.clicked.connect(lambda: self.deeds.delete(name, release))
        ask.open()

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
        """No answer, or no login; and as what the board was seen last."""
        seen = self._seen.get(self.chosen)
        last = T.board_last_seen.format(seen=seen) if seen else ""
        why = T.secret_declined if self.secret.declined == self.chosen else T.board_away
        return "\n".join(filter(None, (why, last)))

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
