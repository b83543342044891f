"""What runs outside the GUI thread for the board panel: blocking verbs, frozen answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.control import Control
from studio.session.session import Session

if TYPE_CHECKING:
    from studio.boards.book import Board
    from studio.boards.hostkeys import HostKey
    from studio.boards.report import BoardStatus

LIST, LOOK, PUSH = "board-list", "board-look", "board-push"
Work = Callable[[Control], object]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a board showed. `status` is None until its host key is trusted."""

    name: str
    key: HostKey | None
    status: BoardStatus | None


@dataclass(frozen=True, slots=True)
class Known:
    """Every known board, this computer first."""

    boards: tuple[Board, ...]


def boards_of(session: Session) -> Known:
    """Every known board. The link library is loaded first, outside the session's lock."""
    from studio.boards import api  # noqa: F401 - loading it takes its time

    return Known(session.board_list())


def look_at(session: Session, name: str) -> Seen:
    """Its host key and, where that is trusted, what is on it."""
    key = session.board_host_key(name)
    if key is not None and key.state != "known":
        return Seen(name, key, None)
    return Seen(name, key, session.board_status(name))


def add(session: Session, board: Board) -> Known:
    """Remember a board."""
    session.board_add(board)
    return Known(session.board_list())


def trust(session: Session, name: str, key: HostKey, replace: bool) -> Seen:
    """Accept the key that the user has seen, then look."""
    session.board_trust(name, key, replace)
    return look_at(session, name)


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
    return Known(session.board_list())
