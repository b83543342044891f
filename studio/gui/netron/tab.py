"""The tab: which file is shown, and what to do where the extra is not installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from studio.gui.looks.theme import Theme
from studio.gui.panel import label
from studio.gui.texts.texts import T

if TYPE_CHECKING:
    from studio.gui.netron.browser import Browser

NEEDED = ("netron", "PySide6.QtWebEngineWidgets")


def missing() -> tuple[str, ...]:
    """What the tab needs and does not find."""
    return tuple(name for name in NEEDED if find_spec(name) is None)


class NetronTab(QWidget):
    """`picked` is the name of a node. The browser is made when a file is first shown."""

    picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.browser: Browser | None = None
        self._files: tuple[str, str] = ("", "")
        self._dark, self._shown = True, ("", True)
        self.note = label("", quiet=True)
        self.note.setWordWrap(True)
        self.note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.choices = [_choice(T.graph_original), _choice(T.graph_optimized)]
        self._room = QVBoxLayout(self)
        self._room.setContentsMargins(0, 0, 0, 0)
        self._room.setSpacing(0)
        self._room.addLayout(self._head())
        self._room.addWidget(self.note, 1)

    def _head(self) -> QHBoxLayout:
        line, group = QHBoxLayout(), QButtonGroup(self)
        line.setContentsMargins(12, 2, 12, 6)
        for choice in self.choices:
            group.addButton(choice)
            line.addWidget(choice)
            choice.clicked.connect(self.show_file)
        self.choices[0].setChecked(True)
        line.addStretch(1)
        return line

    def set_files(self, original: str, optimized: str) -> None:
        """Paths of the model and of the built file, "" where there is none yet."""
        self._files = original, optimized
        self.choices[1].setEnabled(bool(optimized))
        if not optimized:
            self.choices[0].setChecked(True)
        if self.isVisible():
            self.show_file()

    def set_theme(self, theme: Theme) -> None:
        self._dark = theme.dark
        if self.isVisible():
            self.show_file()

    def show_file(self) -> None:
        """Load the chosen file; say what is missing where it cannot be shown."""
        path = self._files[self.choices[1].isChecked()]
        lacking = missing()
        self.note.setText(T.netron_missing.format(names=", ".join(lacking)) if lacking else T.graph_empty)
        if lacking or not path:
            return
        browser = self._browser()
        if self._shown != (path, self._dark):
            self._shown = path, self._dark
            browser.open(Path(path), self._dark)

    def _browser(self) -> Browser:
        if self.browser is None:
            from studio.gui.netron.browser import Browser

            self.browser = Browser(self)
            self.browser.picked.connect(self.picked)
            self.note.hide()
            self._room.addWidget(self.browser, 1)
        return self.browser

    def show_node(self, name: str) -> None:
        """Show the node of this name, where a file is shown that has it."""
        if self.browser is not None and self.isVisible():
            self.browser.show_node(name)

    def end(self) -> None:
        """Let go of the browser."""
        if self.browser is not None:
            self.browser.end()


def _choice(text: str) -> QToolButton:
    made = QToolButton()
    made.setText(text)
    made.setCheckable(True)
    return made
