"""From what went wrong on the wire or on the board to words that the user can act on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from studio.boards.book import Board
from studio.boards.links.link import Reply
from studio.errors import BoardError

_STATUS = {
    64: ("it refused an argument", "This is a bug in the program; please report it."),
    65: ("the data is wrong", "Push again; if it happens twice, check the board's storage."),
    66: ("something is missing", "List the releases and choose one that is there."),
    73: ("it cannot write there", "Check permissions and whether the storage is mounted read-only."),
    74: (
        "reading or writing failed, or the disk is full",
        "Free space there, then push again; it resumes.",
    ),
    75: ("another push or switch is going on", "Wait for it, then try again."),
    77: (
        "its signature is refused there",
        "Sign with a key that it allows: `--sign KEY`, or once for all: `trimtab board add … --sign KEY`.",
    ),
    126: ("a program there cannot be run", "Check the board's installation."),
    127: ("a program is missing there", "Install coreutils or BusyBox on the board."),
}


def failed(board: str, what: str, reply: Reply) -> BoardError:
    """The error for a board script that ended with a status other than 0."""
    said = (reply.err.strip() or reply.out.strip()).splitlines()
    cause, fix = _STATUS.get(reply.status, (f"exit status {reply.status}", "Look at the board's log."))
    detail = said[-1].removeprefix("trimtab: ") if said else ""
    return BoardError(f"board {board}", f"{what}: {cause}" + (f" ({detail})" if detail else ""), fix)


def lost(board: str) -> BoardError:
    """The connection broke while something was going on."""
    return BoardError(
        f"board {board}",
        "the connection was lost",
        "Check cable, power and network, then try again; a push resumes.",
    )


@contextmanager
def explained(board: Board) -> Iterator[None]:
    """Turn what asyncssh and the sockets raise into a `BoardError`."""
    import asyncssh

    thing = f"board {board.name} ({board.address})"
    try:
        yield
    except asyncssh.PermissionDenied as error:
        raise BoardError(
            thing, "the login was refused", "Check the user name and put your public key there (ssh-copy-id)."
        ) from error
    except (asyncssh.ConnectionLost, BrokenPipeError, ConnectionResetError) as error:
        raise lost(board.name) from error
    except asyncssh.ChannelOpenError as error:
        raise BoardError(
            thing, f"it opens no session ({error.reason})", "Look at its SSH server's limits."
        ) from error
    except asyncssh.Error as error:
        raise BoardError(
            thing, f"SSH failed ({error.reason})", "Try `ssh` by hand to the same address."
        ) from error
    except asyncssh.ConfigParseError as error:
        raise BoardError("~/.ssh/config", str(error), "Repair the line.") from error
    except socket.gaierror as error:
        raise BoardError(thing, "no such host", "Check the name, or give an address.") from error
    except TimeoutError as error:
        raise BoardError(thing, "no answer", "Check that the board is on and in this network.") from error
    except ConnectionRefusedError as error:
        raise BoardError(thing, "nothing listens there", "Start its SSH server or check the port.") from error
    except OSError as error:
        raise BoardError(thing, str(error.strerror or error), "Check the network.") from error
