"""What every panel is given, and the one place that knows which layers are chosen."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from studio.gui.bridge import Bridge
from studio.gui.looks.theme import Look


class Selection(QObject):
    """The chosen layers, whoever chose them: table, graph, palette or a finding."""

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.names: tuple[str, ...] = ()

    def choose(self, names: tuple[str, ...]) -> None:
        """Tell everyone, where it is news."""
        if names != self.names:
            self.names = names
            self.changed.emit(names)


@dataclass(frozen=True, slots=True)
class Desk:
    """Handed to the maker of each panel."""

    bridge: Bridge
    look: Look
    selection: Selection
