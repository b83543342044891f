"""Long runs on a board that go on when the connection drops, and are found again."""

from __future__ import annotations

import contextlib
import hashlib
import shlex
import time

from studio.boards.links.faults import failed
from studio.boards.links.link import Line, Link, Reply
from studio.boards.release.protocol import JOBS, Releases
from studio.control import Cancelled, Control
from studio.errors import BoardError

PATIENCE = 60.0
_PAUSE = 0.2


class Job:
    """One command on one board, named by what it does: asking for the same again finds it where it runs."""

    def __init__(self, link: Link, board: str, releases: Releases, command: str) -> None:
        self._link, self._board, self._releases, self._command = link, board, releases, command
        self.name = hashlib.sha256(command.encode()).hexdigest()[:16]
        self._seen, self._rest = 0, ""

    def run(self, control: Control, line: Line, patience: float = PATIENCE) -> Reply:
        """Start or find the job and follow it to its end, over dropped connections of `patience` seconds.

        Cancelling ends the job on the board. Raises `BoardError` where the board stays away.
        """
        self._verb("start", control)
        try:
            status, err = self._follow(control, line, patience)
        except Cancelled:
            with contextlib.suppress(BoardError):
                self._verb("stop", Control())
            raise
        out = self._verb("out", control).out if status >= 0 else ""
        self._verb("stop", control)
        if status < 0:
            raise BoardError(
                f"board {self._board}", "the run died there", "Did it restart or lack memory? Try again."
            )
        return Reply(status, out, err)

    def _follow(self, control: Control, line: Line, patience: float) -> tuple[int, str]:
        heard, err = time.monotonic(), ""
        while True:
            control.check()
            try:
                reply = self._link.run(self._words("look", str(self._seen)))
            except BoardError as error:
                if time.monotonic() - heard > patience:
                    raise _away(self._board, error) from error
                time.sleep(1.0)
                continue
            heard = time.monotonic()
            status, fresh = self._read(reply)
            for text in self._lines(fresh):
                err += text + "\n"
                line(text)
            if status is not None:
                return status, err + self._rest
            time.sleep(_PAUSE)

    def _read(self, reply: Reply) -> tuple[int | None, str]:
        """(status, what it said since); None while it runs, -1 where it died."""
        if reply.status:
            raise failed(self._board, "looking for the run", reply)
        head, _, fresh = reply.out.partition("\n")
        state, *numbers = head.split()
        self._seen = int(numbers[-1])
        return {"ended": int(numbers[0]), "died": -1}.get(state), fresh

    def _lines(self, fresh: str) -> list[str]:
        *whole, self._rest = (self._rest + fresh).split("\n")
        return whole

    def _verb(self, name: str, control: Control) -> Reply:
        data = self._command.encode() if name == "start" else b""
        reply = self._link.feed(self._words(name), data, control)
        if reply.status:
            raise failed(self._board, f"{name} of a run", reply)
        return reply

    def _words(self, *more: str) -> str:
        folder = self._releases.folder
        verb, *rest = more
        return shlex.join(["sh", f"{folder}/bin/{JOBS}", folder, verb, self.name, *rest])


def _away(board: str, error: BoardError) -> BoardError:
    return BoardError(
        f"board {board}",
        f"{error.cause}; the run goes on there",
        "Ask for the same run again once the board is back: it is picked up.",
    )
