"""Everything that can be done, as a table: the toolbar, the menus and the keys read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from studio.gui.looks import icons
from studio.gui.looks.theme import Look
from studio.gui.pages import PAGES
from studio.gui.texts.texts import T


@dataclass(frozen=True, slots=True)
class Verb:
    """One row. `needs_model` ones are greyed until a model is open."""

    key: str
    text: str
    icon: str
    shortcut: str = ""
    needs_model: bool = True
    checkable: bool = False


VERBS = (
    Verb("open", T.open, "open", "Ctrl+O", needs_model=False),
    Verb("open_board", T.open_board, "board", needs_model=False),
    Verb("new_window", T.new_window, "add", "Ctrl+N", needs_model=False),
    Verb("data_file", T.data_file, "data", "Ctrl+D"),
    Verb("data_folder", T.data_folder, "open"),
    Verb("save", T.save, "save", "Ctrl+S"),
    Verb("undo", T.undo, "undo", "Ctrl+Z"),
    Verb("redo", T.redo, "redo", "Ctrl+Shift+Z"),
    Verb("recipe_open", T.recipe_open, "presets"),
    Verb("recipe_save", T.recipe_save, "report"),
    Verb("reset", T.preset_reset, "rollback"),
    Verb("sensitivity", T.sensitivity, "gauge"),
    Verb("noise", T.noise, "gauge"),
    Verb("latency", T.latency, "clock"),
    Verb("report", T.report, "report", "Ctrl+R"),
    Verb("boards", T.boards, "board", "Ctrl+B", needs_model=False, checkable=True),
    Verb("export", T.export, "export", "Ctrl+E"),
    Verb("find", T.layers_find, "search", "Ctrl+F"),
    *(
        Verb(page.action, page.title, page.icon, f"Ctrl+{at}" if at < 10 else "", not page.alone)
        for at, page in enumerate(PAGES, 1)
    ),
    Verb("help", T.help_here, "info", "F1", needs_model=False),
    Verb("tour", T.tour, "info", needs_model=False),
    Verb("palette", T.palette, "search", "Ctrl+K", needs_model=False),
)


class Actions(QObject):
    """QActions of the table, by key."""

    def __init__(self, look: Look, verbs: Mapping[str, Callable[..., object]], parent: QObject) -> None:
        super().__init__(parent)
        self._look = look
        self._made = {verb.key: self._make(verb, verbs[verb.key]) for verb in VERBS}
        look.changed.connect(self._dress)
        self._dress()
        self.allow(False)

    def __getitem__(self, key: str) -> QAction:
        return self._made[key]

    def all(self) -> tuple[QAction, ...]:
        return tuple(self._made.values())

    def allow(self, model: bool) -> None:
        """Grey what needs a model while none is open."""
        for verb in VERBS:
            self._made[verb.key].setEnabled(model or not verb.needs_model)

    def _make(self, verb: Verb, act: Callable[..., object]) -> QAction:
        made = QAction(verb.text, self)
        made.setCheckable(verb.checkable)
        if verb.shortcut:
            made.setShortcut(QKeySequence(verb.shortcut))
            made.setToolTip(f"{verb.text}  ({verb.shortcut})")
        if verb.checkable:
            made.toggled.connect(act)
        else:
            made.triggered.connect(lambda: act())
        return made

    def _dress(self) -> None:
        theme = self._look.theme
        for verb in VERBS:
            self._made[verb.key].setIcon(icons.icon(verb.icon, theme.text, theme.ghost))
