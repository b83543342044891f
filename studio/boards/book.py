"""Which boards the user knows: `boards.json` in the settings folder. Never holds a password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from studio.errors import BoardError
from studio.files import locked, write_atomic
from studio.paths import config_dir, data_dir

THIS_COMPUTER = "this-computer"
RUNNERS = ("auto", "python", "native")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place to push to. `kind` is `ssh` or `local`.

    `port` 0 and `user` "" mean: as `~/.ssh/config` says, else 22 and the own login name. `key_path` is a
    private key to offer ("" = agent and the usual keys). `folder` holds the releases (relative to the home
    folder there). `python` is the interpreter that has onnxruntime ("" = search). `aes`, whether its CPU
    has AES instructions, and `target`, the one that suits its CPU, are learnt by probing. `runner` is
    what runs models there: `python`, `native` (the C runner) or `auto`: Python where it has onnxruntime,
    else the C runner. `groups` are names under which it is pushed to together with others. `sign_key` is the
    key that signs whatever is sent there, trials included ("" = unsigned; a push may name another).
    """

    name: str
    kind: str = "ssh"
    host: str = ""
    port: int = 0
    user: str = ""
    key_path: str = ""
    folder: str = "trimtab"
    python: str = ""
    aes: bool = False
    target: str = ""
    runner: str = "auto"
    groups: tuple[str, ...] = ()
    sign_key: str = ""

    @property
    def address(self) -> str:
        """`user@host:port` as far as it is known, for people to read."""
        if self.kind == "local":
            return "this computer"
        user = f"{self.user}@" if self.user else ""
        return f"{user}{self.host}" + (f":{self.port}" if self.port else "")


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int = 1
    boards: list[Board] = []


def this_computer() -> Board:
    """The board that is always there: the same board scripts, run under the user's data folder."""
    return Board(name=THIS_COMPUTER, kind="local", folder=str(data_dir() / THIS_COMPUTER))


class BoardBook:
    """The user's boards. Every change is read-modify-write under a file lock and stored atomically."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_dir() / "boards.json"

    def all(self) -> tuple[Board, ...]:
        """Every board, this computer first."""
        return (this_computer(), *self._read().boards)

    def get(self, name: str) -> Board:
        """The board `name`; `BoardError` where there is none."""
        boards = self.all()
        for board in boards:
            if board.name == name:
                return board
        known = ", ".join(board.name for board in boards)
        raise BoardError(
            f"board {name!r}", "no such board", f"Known: {known}. Add one with `trimtab board add`."
        )

    def group(self, name: str) -> tuple[Board, ...]:
        """The boards of a group, in the order they were added; `BoardError` where there is none."""
        found = tuple(board for board in self.all() if name in board.groups)
        if not found:
            known = sorted({group for board in self.all() for group in board.groups})
            cause = f"no board is in it; known groups: {', '.join(known) or 'none'}"
            raise BoardError(f"group {name!r}", cause, "Add boards with `trimtab board add … --group NAME`.")
        return found

    def add(self, board: Board, replace: bool = False) -> Board:
        """Store a checked board; an existing name needs `replace`."""
        _check(board)
        with self._locked() as file:
            others = [known for known in file.boards if known.name != board.name]
            if len(others) < len(file.boards) and not replace:
                raise BoardError(
                    f"board {board.name!r}", "the name is taken", "Choose another name or remove it first."
                )
            file.boards = [*others, board]
        return board

    def remove(self, name: str) -> Board:
        """Forget a board (nothing is touched on the board itself)."""
        board = self.get(name)
        if board.name == THIS_COMPUTER:
            raise BoardError(
                f"board {name!r}", "this computer is always there", "Delete its releases instead."
            )
        with self._locked() as file:
            file.boards = [known for known in file.boards if known.name != name]
        return board

    def _read(self) -> _File:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=_File)
        except FileNotFoundError:
            return _File()
        except (msgspec.DecodeError, OSError) as error:
            raise BoardError(
                str(self.path), f"the list of boards cannot be read ({error})", "Repair or delete the file."
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[_File]:
        with locked(self.path):
            file = self._read()
            yield file
            write_atomic(self.path, msgspec.json.format(msgspec.json.encode(file), indent=2))


def _check(board: Board) -> None:
    thing = f"board {board.name!r}"
    if not _NAME.fullmatch(board.name) or board.name == THIS_COMPUTER:
        raise BoardError(
            thing, "not a usable name", "Use letters, digits, dot, dash and underscore, e.g. pi5-lab."
        )
    if board.kind not in ("ssh", "local"):
        raise BoardError(thing, f"unknown kind {board.kind!r}", "Use ssh or local.")
    if board.kind == "ssh" and (
        not board.host or board.host.startswith("-") or board.host.split() != [board.host]
    ):
        raise BoardError(thing, f"not a host name or address: {board.host!r}", "Give one, e.g. 192.168.1.20.")
    if board.runner not in RUNNERS:
        raise BoardError(thing, f"unknown runner {board.runner!r}", f"Use one of {', '.join(RUNNERS)}.")
    if not 0 <= board.port <= 65535:
        raise BoardError(thing, f"no such port: {board.port}", "Give 1 to 65535; 22 is the usual one.")
    if not board.folder or "\n" in board.folder or "\0" in board.folder or board.folder.startswith("-"):
        raise BoardError(thing, f"not a usable folder: {board.folder!r}", "Give a plain path, e.g. trimtab.")
