"""The verbs on boards that need no open model; each tells the listeners."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from studio.control import Control
from studio.project import changes
from studio.project.changes import Changed
from studio.session.editor import Editor

if TYPE_CHECKING:
    from studio.boards.api import Boards
    from studio.boards.book import Board
    from studio.boards.facts import BoardFacts
    from studio.boards.links.asking import Ask
    from studio.boards.links.find import Found
    from studio.boards.links.hostkeys import HostKey
    from studio.boards.report import BoardRun, BoardStatus, Pulled
    from studio.boards.runs.serving import Serving
    from studio.boards.seen import LastSeen

T = TypeVar("T")


class BoardVerbs(Editor):
    """An Editor that also has the user's boards. All verbs block and raise `BoardError`.

    `ask`, set before the first of them, is asked for passwords and passphrases.
    """

    _boards: Boards | None = None
    ask: Ask | None = None

    @property
    def boards(self) -> Boards:
        """The user's boards, made when first asked for: the link library takes its time to load."""
        from studio.boards.api import Boards

        with self._lock:
            self._boards = self._boards or Boards(ask=self.ask)
            return self._boards

    @contextmanager
    def with_boards(self, boards: Boards) -> Iterator[None]:
        """Use other boards for as long as the context lasts; they are closed at its end."""
        before, self._boards = self._boards, boards
        try:
            yield
        finally:
            self._boards = before
            boards.close()

    def board_list(self) -> tuple[Board, ...]:
        """Every known board, this computer first."""
        return self.boards.list()

    def board_last_seen(self) -> dict[str, LastSeen]:
        """By name: when a board was last seen, as what and in what state."""
        return self.boards.seen.all()

    def board_add(self, board: Board, replace: bool = False) -> Changed[Board]:
        """Remember a board; show `board_host_key` and `board_trust` it next."""
        return self._board(self.boards.add(board, replace))

    def board_remove(self, board: str) -> Changed[Board]:
        """Forget a board; its releases stay on it."""
        return self._board(self.boards.remove(board))

    def board_host_key(self, board: str) -> HostKey | None:
        """The key that the board shows, and whether it is known; None for this computer."""
        return self.boards.host_key(board)

    def board_trust(self, board: str, key: HostKey, replace: bool = False) -> Changed[HostKey]:
        """Accept a key that the user has seen."""
        self.boards.trust(board, key, replace)
        return self._board(key)

    def board_probe(self, board: str, control: Control) -> Changed[BoardFacts]:
        """Ask the board what it is."""
        return self._board(self.boards.probe(board, control))

    def board_bench(
        self,
        board: str,
        control: Control,
        runs: int = 500,
        threads: int = 1,
        release: str = "",
        seconds: float = 0.0,
        cores: str = "",
        profile: bool = False,
    ) -> Changed[BoardRun]:
        """Time a release on the board, the active one by default; see `Boards.bench`."""
        bench = self.boards.bench
        run = bench(
            board,
            control,
            release=release,
            runs=runs,
            threads=threads,
            seconds=seconds,
            cores=cores,
            profile=profile,
        )
        return self._board(run)

    def board_group(self, name: str) -> tuple[Board, ...]:
        """The boards of a group."""
        return self.boards.book.group(name)

    def board_find(self, names: tuple[str, ...], seconds: float, control: Control) -> tuple[Found, ...]:
        """Boards nearby; nothing is stored."""
        return self.boards.find(names, seconds, control)

    def board_require_signatures(self, board: str, keys: tuple[Path, ...], control: Control) -> None:
        """From now on the board takes only what one of these public keys signed; none = anything."""
        self.boards.require_signatures(board, keys, control)

    def board_serve(self, board: str, control: Control) -> Changed[Serving]:
        """Keep the active release running there."""
        return self._board(self.boards.serve(board, control))

    def board_serving(self, board: str) -> Serving:
        """Whether something is kept running there, and how it does."""
        return self.boards.serving(board)

    def board_log(self, board: str, lines: int = 50) -> str:
        """The last lines of what is or was served there."""
        return self.boards.serving_log(board, lines)

    def board_stop_serving(self, board: str) -> Changed[Serving]:
        """End what `board_serve` began."""
        return self._board(self.boards.stop_serving(board))

    def board_status(self, board: str) -> BoardStatus:
        """What is on the board."""
        return self.boards.status(board)

    def board_pull(
        self, board: str, out: Path, control: Control, release: str = "", replace: bool = False
    ) -> Pulled:
        """Fetch a release (the active one by default) to the file `out`, verified; see `Boards.pull`.

        Open it with `open(pulled.path, …)`.
        """
        return self.boards.pull(board, out, control, release=release, replace=replace)

    def board_activate(self, board: str, release: str) -> Changed[BoardStatus]:
        return self._board(self.boards.activate(board, release))

    def board_confirm(self, board: str) -> Changed[BoardStatus]:
        """The active release is good: it stays."""
        return self._board(self.boards.confirm(board))

    def board_rollback(self, board: str) -> Changed[BoardStatus]:
        """Back to the last confirmed release."""
        return self._board(self.boards.rollback(board))

    def board_delete(self, board: str, release: str) -> Changed[BoardStatus]:
        """Delete one release from the board."""
        return self._board(self.boards.delete(board, release))

    def close_boards(self) -> None:
        """Close every connection."""
        if self._boards is not None:
            self._boards.close()

    def _board(self, value: T) -> Changed[T]:
        return self._tell(value, {changes.BOARDS})
