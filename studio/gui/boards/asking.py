"""What runs outside the GUI thread for the board panel: blocking verbs, frozen answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.control import Control
from studio.session.session import Session

if TYPE_CHECKING:
    from studio.boards.book import Board
    from studio.boards.facts import BoardFacts
    from studio.boards.links.find import Found
    from studio.boards.links.hostkeys import HostKey
    from studio.boards.remarks import Remark
    from studio.boards.report import BoardStatus
    from studio.boards.runs.serving import Serving
    from studio.boards.seen import LastSeen

LIST, LOOK, PUSH, FIND, LOG = "board-list", "board-look", "board-push", "board-find", "board-log"
LOG_LINES = 200
FIND_SECONDS = 4.0
Work = Callable[[Control], object]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a board showed. `status` and `facts` are None until its host key is trusted; verbs that change
    something give the status alone.
    """

    name: str
    key: HostKey | None
    status: BoardStatus | None
    facts: BoardFacts | None = None
    remarks: tuple[Remark, ...] = ()
    served: Served | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """What a board keeps running, and the last lines that it wrote."""

    name: str
    serving: Serving
    log: str


@dataclass(frozen=True, slots=True)
class Nearby:
    """Places to choose from; `seen` tells by name what is known of those that were added before."""

    places: tuple[Found, ...]
    known: tuple[Board, ...]
    seen: Mapping[str, LastSeen]


@dataclass(frozen=True, slots=True)
class Known:
    """Every known board, this computer first, and when each was last seen."""

    boards: tuple[Board, ...]
    seen: Mapping[str, LastSeen]


def boards_of(session: Session) -> Known:
    """Every known board. The link library is loaded first, outside the session's lock."""
    from studio.boards import api  # noqa: F401 - loading it takes its time

    return _known(session)


def _known(session: Session) -> Known:
    return Known(session.board_list(), session.board_last_seen())


def look_at(session: Session, name: str, control: Control) -> Seen:
    """Its host key and, where that is trusted, what it is, what is on it and what it runs."""
    from studio.boards.remarks import graded

    key = session.board_host_key(name)
    if key is not None and key.state != "known":
        return Seen(name, key, None)
    status = session.board_status(name)
    facts = session.board_probe(name, control).value
    return Seen(name, key, status, facts, graded(facts), served(session, name))


def served(session: Session, name: str) -> Served:
    """What runs there, and its log."""
    return Served(name, session.board_serving(name), session.board_log(name, LOG_LINES))


def serve(session: Session, name: str, control: Control) -> Served:
    """Keep the active release running."""
    session.board_serve(name, control)
    return served(session, name)


def stop_serving(session: Session, name: str) -> Served:
    """End what `serve` began."""
    session.board_stop_serving(name)
    return served(session, name)


def nearby(session: Session, typed: str, control: Control) -> Nearby:
    """What announces itself, what the ssh config names, and `typed` as it is and as TYPED.local."""
    names = (typed,) if typed else ()
    places = session.board_find(names, FIND_SECONDS, control)
    known = tuple(board for board in session.board_list() if board.kind != "local")
    return Nearby(places, known, session.board_last_seen())


def add(session: Session, board: Board) -> Known:
    """Remember a board."""
    session.board_add(board)
    return _known(session)


def trust(session: Session, name: str, key: HostKey, replace: bool, control: Control) -> Seen:
    """Accept the key that the user has seen, then look."""
    session.board_trust(name, key, replace)
    return look_at(session, name, control)


def confirm(session: Session, name: str) -> Seen:
    """The active release stays."""
    return Seen(name, None, session.board_confirm(name).value)


def rollback(session: Session, name: str) -> Seen:
    """Back to the last confirmed release."""
    return Seen(name, None, session.board_rollback(name).value)


def activate(session: Session, name: str, release: str) -> Seen:
    """Switch to a release that is on the board."""
    return Seen(name, None, session.board_activate(name, release).value)


def delete(session: Session, name: str, release: str) -> Seen:
    """Delete a release from the board."""
    return Seen(name, None, session.board_delete(name, release).value)


def forget(session: Session, name: str) -> Known:
    """Remove a board from the list."""
    session.board_remove(name)
    return _known(session)
