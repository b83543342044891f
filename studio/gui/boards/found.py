"""The list of hosts in the dialog that adds a board: what is nearby, and when it was last seen as what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from studio.gui.boards import asking
from studio.gui.bridge import Bridge
from studio.gui.panel import label
from studio.gui.texts.texts import T
from studio.jobs import Outcome

if TYPE_CHECKING:
    from studio.boards.links.find import Found

_SOURCES = {
    "announced": T.board_announced,
    "ssh config": T.board_ssh_config,
    "name": T.board_resolved,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A row of the list. `port` 0: as configured."""

    name: str
    host: str
    port: int
    said: str

    def __str__(self) -> str:
        where = self.host if self.host != self.name else ""
        port = str(self.port) if self.port not in (0, 22) else ""
        address = ":".join(filter(None, (where or (self.name if port else ""), port)))
        return " · ".join(filter(None, (self.name, address, self.said)))


class Places(QWidget):
    """The host's field, and a button that lists what was found. Sends `picked(place)` and `again()`."""

    picked = Signal(object)
    again = Signal()

    def __init__(self, field: QLineEdit, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._field, self.button, self.menu = field, QPushButton(T.board_look_nearby), QMenu(self)
        self.button.setToolTip(T.board_find_again)
        self.button.setAutoDefault(False)
        self.button.setMenu(self.menu)
        self.state = label(quiet=True, pixels=12)
        self._arrange()
        self.show_places(())

    def _arrange(self) -> None:
        row, whole = QHBoxLayout(), QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        row.addWidget(self._field, 1)
        row.addWidget(self.button)
        whole.addLayout(row)
        whole.addWidget(self.state)

    @property
    def typed(self) -> str:
        """What stands in the field."""
        return self._field.text().strip()

    def search(self) -> None:
        """A search has begun."""
        self.button.setEnabled(False)
        self.state.setText(f"{T.board_find_title}…")

    def show_places(self, places: tuple[Place, ...]) -> None:
        """List them behind the button; what was typed stays."""
        self.menu.clear()
        for place in places:
            action = self.menu.addAction(str(place))
            action.triggered.connect(lambda _=False, place=place: self.picked.emit(place))
        self.menu.addSeparator()
        self.menu.addAction(T.board_find_again).triggered.connect(self.again)
        self.button.setEnabled(True)
        self.state.setText(T.board_found.format(n=len(places)) if places else T.board_found_none)


class FoundPlaces(QObject):
    """Looks for places as long as the dialog is open, and fills its list."""

    def __init__(self, bridge: Bridge, places: Places, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge, self._places = bridge, places
        places.again.connect(self.look)
        bridge.ended.connect(self._take)
        self.look()

    def look(self) -> None:
        """Listen for some seconds."""
        session, typed = self._bridge.session, self._places.typed
        self._places.search()
        work = T.board_find_title
        self._bridge.run(asking.FIND, work, lambda control: asking.nearby(session, typed, control))

    def stop(self) -> None:
        """The dialog is closed."""
        self._bridge.cancel(asking.FIND)

    def _take(self, outcome: Outcome) -> None:
        if outcome.lane == asking.FIND and not outcome.cancelled:
            value = outcome.value
            self._places.show_places(rows(value) if isinstance(value, asking.Nearby) else ())


def rows(near: asking.Nearby) -> tuple[Place, ...]:
    """What was found, those that were added before with what is known of them."""
    return tuple(Place(each.name, each.host, each.port, _said(each, near)) for each in near.places)


def _said(found: Found, near: asking.Nearby) -> str:
    parts = [_SOURCES.get(found.source, found.source)]
    for board in near.known:
        if board.host in (found.host, found.name) and (board.port or 22) == (found.port or 22):
            parts.append(T.board_known.format(name=board.name))
            seen = near.seen.get(board.name)
            parts += [T.board_last_seen.format(seen=seen)] if seen else []
    return " · ".join(parts)
