"""The command palette: every verb, preset and layer, found by a few letters. Ctrl+K opens it, Esc closes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.gui.looks import fonts
from studio.gui.texts.texts import T

_WIDTH, _ROW, _SHOWN, _FOUND = 560, 32, 9, 60
_MOVES = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}


@dataclass(frozen=True, slots=True)
class Entry:
    """What can be chosen; `hint` stands behind it (a shortcut, a kind)."""

    text: str
    hint: str
    act: Callable[[], object]


class Palette(QFrame):
    """A layer over its parent's upper middle. `entries` is asked each time it opens."""

    def __init__(self, entries: Callable[[], Iterable[Entry]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("palette")
        self.setAccessibleName(T.palette)
        self._entries, self._all = entries, tuple[Entry, ...]()
        self._shown: list[Entry] = []
        self._before: QWidget | None = None
        self.field, self.list = QLineEdit(), QListWidget()
        self.field.setPlaceholderText(T.palette_hint)
        self.field.setAccessibleName(T.palette_hint)
        self.field.setFont(fonts.font(15))
        self.field.textChanged.connect(self._find)
        self.field.installEventFilter(self)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName(T.palette)
        self.list.itemClicked.connect(lambda: self._choose())
        whole = QVBoxLayout(self)
        whole.setContentsMargins(10, 10, 10, 10)
        whole.addWidget(self.field)
        whole.addWidget(self.list)
        self.hide()

    def open(self) -> None:
        """Show every verb that can be done now."""
        self.offer(self._entries(), T.palette_hint)

    def offer(self, entries: Iterable[Entry], hint: str) -> None:
        """Show these with an empty field, in which `hint` stands."""
        if self.isHidden():
            self._before = QApplication.focusWidget()
        self._all = tuple(entries)
        self.field.setPlaceholderText(hint)
        self.field.setAccessibleName(hint)
        self.field.clear()
        self._find("")
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus()

    def shut(self) -> None:
        """Hide it; the focus goes back to where it was."""
        if self.isVisible():
            self.hide()
            if self._before is not None:
                self._before.setFocus()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            width = min(_WIDTH, parent.width() - 40)
            height = 62 + _ROW * max(min(len(self._shown), _SHOWN), 1)
            self.setGeometry((parent.width() - width) // 2, 64, width, height)

    def _find(self, text: str) -> None:
        words = text.lower().split()
        hits = [each for each in self._all if all(word in each.text.lower() for word in words)]
        hits.sort(key=lambda each: not each.text.lower().startswith(text.lower().strip()))
        self._shown = hits[:_FOUND]
        self.list.clear()
        for entry in self._shown:
            item = QListWidgetItem(f"{entry.text}    {entry.hint}".rstrip())
            item.setSizeHint(QSize(100, _ROW))
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self._place()

    def _choose(self) -> None:
        row = self.list.currentRow()
        entry = self._shown[row] if 0 <= row < len(self._shown) else None
        self.shut()
        if entry is not None:
            entry.act()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(Qt.Key(event.key()))
        return super().eventFilter(watched, event)

    def _key(self, key: Qt.Key) -> bool:
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose()
        elif key == Qt.Key.Key_Escape:
            self.shut()
        elif key in _MOVES:
            row = self.list.currentRow() + _MOVES[key]
            self.list.setCurrentRow(min(max(row, 0), len(self._shown) - 1))
        else:
            return False
        return True
