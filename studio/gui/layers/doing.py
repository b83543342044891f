"""What can be done to the chosen layers: lock, copy, paste, as in a preset, as in the original."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu

from studio.errors import StudioError
from studio.gui.bridge import Bridge
from studio.gui.layers.view import LayersView
from studio.gui.texts.texts import T
from studio.recipe import presets
from studio.recipe.settings import FLOAT, Settings
from studio.session.locking import held

_FORM = "trimtab-settings "


@dataclass(frozen=True, slots=True)
class _Deed:
    text: str
    keys: str
    act: Callable[[], None]


class Doing(QObject):
    """Actions of the layer table, for the menu of the right button and the keyboard."""

    def __init__(self, view: LayersView, bridge: Bridge) -> None:
        super().__init__(view)
        self._view, self._bridge = view, bridge
        deeds = (
            _Deed(T.layers_lock, "Ctrl+L", self.lock),
            _Deed(T.layers_copy, "Ctrl+C", self.copy),
            _Deed(T.layers_paste, "Ctrl+V", self.paste),
            _Deed(T.layers_original, "Backspace", self.original),
            _Deed(T.layers_group, "Ctrl+G", self.group),
        )
        self.actions_ = tuple(self._action(deed) for deed in deeds)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._menu)

    def _action(self, deed: _Deed) -> QAction:
        made = QAction(deed.text, self)
        made.setShortcut(QKeySequence(deed.keys))
        made.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        made.triggered.connect(lambda: deed.act())
        self._view.addAction(made)
        return made

    def lock(self) -> None:
        """Lock the chosen layers; unlock them where all are locked."""
        self._bridge.lock(self._view.names())

    def copy(self) -> None:
        """Put the settings of the first chosen layer on the clipboard, as text that people can read."""
        for name in self._view.names()[:1]:
            settings = held(self._bridge.session.plan().of(name))
            QGuiApplication.clipboard().setText(_FORM + msgspec.json.encode(settings).decode())

    def paste(self) -> None:
        """Lay copied settings over the chosen layers; other text on the clipboard is left alone."""
        text = QGuiApplication.clipboard().text()
        if not text.startswith(_FORM):
            return
        try:
            settings = msgspec.json.decode(text.removeprefix(_FORM), type=Settings)
        except msgspec.MsgspecError:
            return  # somebody else's text that begins like ours
        self._bridge.edit(self._free(), settings)

    def original(self) -> None:
        """Leave the chosen layers as the original has them."""
        self._bridge.edit(self._free(), Settings(bits=FLOAT, sparsity=0.0))

    def group(self) -> None:
        """List layers under their scopes, or all in a row again."""
        self._view.group(not self._view.proxy.wish.grouped)

    def as_preset(self, name: str) -> None:
        """Give each chosen layer what the preset gives it."""
        try:
            self._bridge.session.as_preset(self._free(), name)
        except StudioError as error:
            self._bridge.failed.emit(error)

    def _free(self) -> tuple[str, ...]:
        locked = {rule.pattern for rule in self._bridge.session.recipe.locks}
        return tuple(name for name in self._view.names() if name not in locked)

    def menu(self) -> QMenu:
        """The menu of the right button."""
        made = QMenu(self._view)
        made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        made.addActions(self.actions_)
        below = made.addMenu(T.layers_preset)
        for name in presets.names():
            below.addAction(name).triggered.connect(lambda _=False, name=name: self.as_preset(name))
        return made

    def _menu(self, at: QPoint) -> None:
        self.menu().popup(self._view.viewport().mapToGlobal(at))
