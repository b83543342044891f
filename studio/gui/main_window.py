"""The window: toolbar, notice, page, foot; and the wiring between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

from studio.gui import focus
from studio.gui.bar import commands
from studio.gui.bar.actions import Actions
from studio.gui.bar.foot import Foot
from studio.gui.bar.notice import Notice
from studio.gui.bar.palette import Palette
from studio.gui.bar.toolbar import Toolbar
from studio.gui.boards.pick import BoardPick
from studio.gui.bridge import SAVE, Bridge
from studio.gui.curtain import Curtain
from studio.gui.files import Files
from studio.gui.focus import FocusRing
from studio.gui.keep import preferences
from studio.gui.keep.keeping import Keeper, progress_of
from studio.gui.looks import icons, numbers
from studio.gui.looks.dress import steps
from studio.gui.looks.theme import Look
from studio.gui.options.panel import OptionsPanel
from studio.gui.pages import PAGES
from studio.gui.present import Presenter
from studio.gui.texts.texts import T
from studio.gui.turns import Turns
from studio.gui.welcome.help import HelpPanel, topic_of
from studio.gui.welcome.recent import keep_thumbnail
from studio.gui.welcome.start import StartView
from studio.gui.welcome.tour import Tour, stops
from studio.gui.work import START, WorkPage
from studio.jobs import Outcome
from studio.project import changes
from studio.project.changes import Changed
from studio.project.document import Document
from studio.project.recovery import Recovery
from studio.session.session import Session
from studio.workbench.api import Written


@dataclass(frozen=True, slots=True)
class _Edges:
    """The frame around the page."""

    toolbar: Toolbar
    notice: Notice
    foot: Foot


class MainWindow(QMainWindow):
    """One window over one session. `close` ends the session with it."""

    def __init__(self, session: Session, look: Look | None = None) -> None:
        super().__init__()
        self.preferences = preferences.read()
        self.look = look or Look(self.preferences.theme)
        self.bridge = Bridge(session, self)
        self.files = Files(self.bridge, self)
        self.keeper = Keeper(self.bridge, Recovery(), self)
        self.actions_ = Actions(self.look, self._verbs(), self)
        self.start = StartView(self.look)
        self.page = WorkPage(self.bridge, self.look, self.start)
        self.edges = _Edges(Toolbar(self.actions_, self.look), Notice(self.look), Foot(self.look, _tabs()))
        self._turns = Turns(self)
        self.presenter = Presenter(self.bridge, self.page)
        self._arrange()
        self._curtain, self._ring = Curtain(self.look, self), FocusRing(self.look, self)
        self.palette_ = Palette(partial(commands.entries, self), self)
        self.pick = BoardPick(self.bridge, self.palette_, self._add_board)
        self.tour = Tour(stops(self.page, self.edges.toolbar), self.look, self)
        self.tour.ended.connect(partial(self._keep, toured=True))
        self._wire()
        self.restoreGeometry(QByteArray.fromBase64(self.preferences.geometry.encode()))

    def _verbs(self) -> dict[str, Callable[..., object]]:
        bridge, files = self.bridge, self.files
        return {
            "open": files.ask_model,
            "open_board": lambda: self.pick.ask(),
            "new_window": files.open_beside,
            "data_file": files.ask_data,
            "data_folder": files.ask_data_folder,
            "undo": bridge.undo,
            "redo": bridge.redo,
            "recipe_open": files.ask_recipe,
            "recipe_save": files.ask_recipe_out,
            "reset": bridge.reset,
            "sensitivity": bridge.sense,
            "noise": bridge.noise,
            "latency": bridge.time,
            "save": files.ask_save,
            "report": files.ask_report,
            "boards": self._show_boards,
            "export": files.ask_export,
            "find": self._find,
            **{page.action: partial(self._show_page, page.key) for page in PAGES},
            "help": self._help,
            "tour": self._tour,
            "palette": lambda: self.palette_.open(),
        }

    def _arrange(self) -> None:
        self.setWindowTitle(T.app)
        self.setWindowIcon(icons.icon("trimtab", "#ffffff", size=64))
        self.setAcceptDrops(True)
        self.setMinimumSize(960, 680)
        self.resize(1500, 940)
        self.start.recent.show_paths(self.preferences.recent_there(), self.preferences.said)
        self.start.lost.show_lost(self.keeper.recovery.lost())
        holder, middle = QWidget(), QVBoxLayout()
        middle.setContentsMargins(14, 0, 14, 0)
        middle.addWidget(self.edges.notice)
        whole = QVBoxLayout(holder)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.edges.toolbar)
        whole.addSpacing(0)
        whole.addLayout(middle)
        whole.addWidget(self.page, 1)
        whole.addWidget(self.edges.foot)
        self.setCentralWidget(holder)
        holder.setFocus()
        self.addActions(self.actions_.all())

    def _wire(self) -> None:
        bridge, edges, start = self.bridge, self.edges, self.start
        bridge.changed.connect(self._take)
        bridge.failed.connect(edges.notice.show_error)
        bridge.started.connect(edges.foot.begin)
        bridge.advanced.connect(edges.foot.advance)
        bridge.ended.connect(edges.foot.end)
        bridge.ended.connect(self._take_end)
        edges.foot.stop.connect(bridge.cancel_job)
        edges.foot.page.connect(self._show_page)
        edges.toolbar.preset_wanted.connect(bridge.apply_preset)
        edges.toolbar.target_wanted.connect(bridge.set_target)
        edges.toolbar.targets.ask(bridge.session.targets, lambda: bridge.session.target.name)
        edges.toolbar.theme_wanted.connect(self.choose_theme)
        self.page.of(OptionsPanel).preferred.connect(self._prefer)
        start.open_wanted.connect(self.files.ask_model)
        start.sample_wanted.connect(self.files.open_sample)
        start.board_wanted.connect(self.pick.ask)
        start.recent_wanted.connect(self.files.open)
        start.lost.wanted.connect(self.files.recover)
        self.page.cards.accuracy.action.clicked.connect(self.files.ask_data)
        self.page.boards.secret.asked.connect(partial(self.actions_["boards"].setChecked, True))
        self.look.changed.connect(self._dress)
        edges.toolbar.allow(False)
        edges.foot.offer([START, *(page.key for page in PAGES if page.alone)])
        edges.foot.show_page(START)

    def open_path(self, path: str) -> None:
        """Open what was named on the command line, whatever it is."""
        self.files.take((Path(path),))

    def choose_theme(self, mode: str) -> None:
        """Switch to `system`, `light` or `dark`, and remember it."""
        self._keep(theme=mode)
        self.look.choose(mode)

    @Slot(str, str)
    def _prefer(self, key: str, value: str) -> None:
        """An option of the window: the theme at once, the rest from the next start."""
        if key == "theme":
            self.choose_theme(value)
        else:
            self._keep(**{key: value})

    @Slot(object)
    def _take(self, change: Changed[Any]) -> None:
        if changes.MODEL in change:
            self._take_model()
        for note in change.notes:
            self.edges.notice.show_note(note, stays=True)
        if (document := self.bridge.session.document) is not None:
            self._show_journal()
            self.edges.toolbar.title.setText(_title(document))
            self.edges.foot.say_engine(self.bridge.session.target.title)

    def _take_model(self) -> None:
        facts, session = self.bridge.session.facts, self.bridge.session
        self.edges.notice.hide()
        self.page.show_model()
        self.edges.foot.offer([page.key for page in PAGES])
        self.page.layers.view.setFocus()
        self._show_page(self.page.shown_page)
        self.setWindowTitle(f"{facts.name} – {T.app}")
        self.actions_.allow(True)
        self.edges.toolbar.allow(True)
        kept = session.state.project or facts.path
        self.preferences = preferences.update(lambda known: known.with_recent(kept))

    def _show_journal(self) -> None:
        journal = self.bridge.session.journal
        undo, redo = self.actions_["undo"], self.actions_["redo"]
        undo.setEnabled(journal.can_undo)
        redo.setEnabled(journal.can_redo)
        undo.setToolTip(T.undo_what.format(label=journal.steps[journal.at].label))
        ahead = journal.steps[journal.at + 1].label if journal.can_redo else ""
        redo.setToolTip(T.redo_what.format(label=ahead))

    @Slot(object)
    def _take_end(self, outcome: Outcome) -> None:
        value = outcome.value.value if isinstance(outcome.value, Changed) else None
        if isinstance(value, Path):
            said = T.saved if outcome.lane == SAVE else T.reported
            self.edges.notice.show_note(said.format(path=value), stays=outcome.lane != SAVE)
        if isinstance(value, Written):
            name, size = Path(value.path).name, numbers.size(value.bytes)
            self.edges.notice.show_note(T.exported.format(name=name, size=size, sha=value.sha256[:12]))

    def _show_boards(self, shown: bool) -> None:
        self.page.show_boards(shown)
        self.edges.foot.show_page(self.page.shown_page)

    def _add_board(self) -> None:
        self.actions_["boards"].setChecked(True)
        self.page.boards.ask_for_board()

    def _show_page(self, key: str) -> None:
        self.page.show_page(key)
        self.edges.foot.show_page(self.page.shown_page)

    def _help(self) -> None:
        topic = topic_of(QApplication.focusWidget(), self.page.shown_page)
        self.page.of(HelpPanel).show_topic(topic)
        self._show_page("help")

    def _tour(self) -> None:
        """The hints speak of an open model: the sample, where there is none."""
        if self.page.blank:
            self.tour.offer(self.bridge)
            self.files.open_sample()
        else:
            self.tour.begin()

    def _find(self) -> None:
        self.page.layers.search.setFocus()
        self.page.layers.search.selectAll()

    def _remember(self) -> None:
        """Keep how the work looks now, for the start page."""
        session = self.bridge.session
        if session.document is not None:
            path = session.state.project or session.facts.path
            keep_thumbnail(Path(path), self.page.graph)
            self.preferences = preferences.update(lambda known: known.saying(path, progress_of(session)))

    def _dress(self) -> None:
        """In turns of the event loop, unseen until the last one: all at once keeps the window waiting."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            self.setUpdatesEnabled(False)
            self._turns.take((*steps(app, self.look.theme), partial(self.setUpdatesEnabled, True)))

    def _keep(self, **values: Any) -> None:
        self.preferences = preferences.update(lambda kept: msgspec.structs.replace(kept, **values))

    # Drag and drop onto the whole window.

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()
            self._curtain.lift(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._curtain.lift(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._curtain.lift(False)
        paths = tuple(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
        event.acceptProposedAction()
        self.files.take(paths)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves a panel that stands in place of the start view."""
        if event.key() == Qt.Key.Key_Escape and self.page.blank:
            self._show_page(START)
        super().keyPressEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: N802 - Qt's own name
        self._ring.walking = True
        return focus.step(self, next)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._remember()
        self._keep(geometry=bytes(self.saveGeometry().toBase64().data()).decode())
        self.page.room.end()
        self.keeper.close()
        self.bridge.close()
        super().closeEvent(event)


def _tabs() -> list[tuple[str, str]]:
    return [(START, T.start), *((page.key, page.title) for page in PAGES)]


def _title(document: Document) -> str:
    model = Path(document.model.path).name
    if document.data is None:
        return model
    data, count = Path(document.data.ref.path).name, f"{document.data.n:,}".replace(",", " ")
    return T.title_data.format(model=model, data=data, n=count)
