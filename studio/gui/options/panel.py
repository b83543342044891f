"""The settings panel: a table of options; the engine's go into its file, the window's to the window."""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from studio.errors import ProjectError
from studio.gui.desk import Desk
from studio.gui.keep import preferences
from studio.gui.options.delegate import OptionDelegate
from studio.gui.options.model import Column, OptionsModel
from studio.gui.options.table import ENGINE, Option
from studio.gui.panel import Panel
from studio.gui.tables import dress_table
from studio.gui.texts.texts import T
from studio.workbench import tuning

_HEIGHT = 32


class OptionsPanel(Panel):
    """Tells `preferred` (key, value) where an option is the window's."""

    preferred = Signal(str, str)

    def __init__(self, desk: Desk) -> None:
        self.table = QTableView()
        super().__init__(T.options, self.table)
        self._failed = desk.bridge.failed
        self.source = OptionsModel(self)
        self.source.wanted.connect(self._keep)
        desk.look.changed.connect(self.show_kept)
        self._arrange()

    def _arrange(self) -> None:
        table = self.table
        table.setModel(self.source)
        table.setItemDelegateForColumn(Column.VALUE, OptionDelegate(table))
        table.setObjectName("padded")
        table.setEditTriggers(QAbstractItemView.EditTrigger.AllEditTriggers)
        head = dress_table(table, T.options, _HEIGHT)
        head.setSectionResizeMode(Column.ABOUT, QHeaderView.ResizeMode.Stretch)
        table.setColumnWidth(Column.TITLE, 220)
        table.setColumnWidth(Column.VALUE, 200)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.show_kept()

    @Slot()
    def show_kept(self) -> None:
        """Read both files anew: another window or the command line may have written them."""
        kept = msgspec.structs.asdict(tuning.read()) | msgspec.structs.asdict(preferences.read())
        self.source.show_values(kept)

    @Slot(object, object)
    def _keep(self, option: Option, value: Any) -> None:
        if option.home != ENGINE:
            self.preferred.emit(option.key, value)
        else:
            self._tune(option.key, value)
        self.show_kept()

    def _tune(self, key: str, value: Any) -> None:
        try:
            tuning.write(msgspec.structs.replace(tuning.read(), **{key: value}))
        except ProjectError as error:
            self._failed.emit(error)
