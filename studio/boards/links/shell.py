"""A `sh` held open on the board: 0.1 ms a command instead of a new channel and a new `.bashrc` each time."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from studio.boards.links.link import Reply
from studio.errors import BoardError

if TYPE_CHECKING:
    import asyncssh


class MarkerError(BoardError):
    """The login shell ended, or said other things, before our first line."""


def start_line(mark: str) -> str:
    """A command prefix whose output separates ours from what a talkative `.bashrc` prints."""
    return f"echo {mark}; "


def text_of(raw: bytes) -> str:
    """Output of a board as text; bytes that are no UTF-8 are replaced."""
    return raw.decode("utf-8", "replace")


def fresh_mark() -> str:
    return f"trimtab-{secrets.token_hex(8)}"


def no_mark(said_instead: bytes, board: str) -> MarkerError:
    """The marker line never came: names the login shell as the cause."""
    said = text_of(said_instead).strip()[:200]
    cause = (
        f"the login shell there did not run our command; it said {said!r}"
        if said
        else "the login shell ended"
    )
    return MarkerError(
        board,
        f"{cause} (a .bashrc or .profile that prints, waits or exits?)",
        "Make the start files of that login silent for non-interactive sessions.",
    )


class HeldShell:
    """Sends one command at a time and reads up to a marker line on both streams."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes], board: str) -> None:
        self._process, self._board, self._lock = process, board, asyncio.Lock()
        self._mark = fresh_mark()
        self._out, self._err = _Until(process.stdout), _Until(process.stderr)

    @classmethod
    async def start(cls, connection: asyncssh.SSHClientConnection, board: str, timeout: float) -> HeldShell:
        """Open `sh` behind whatever the login shell prints."""
        mark = fresh_mark()
        process = await connection.create_process(start_line(mark) + "exec sh", encoding=None)
        shell = cls(process, board)
        try:
            async with asyncio.timeout(timeout):
                await shell._out.line(mark)
        except (EOFError, TimeoutError):
            process.close()
            raise no_mark(shell._out.rest(), board) from None
        return shell

    @property
    def alive(self) -> bool:
        return not self._process.is_closing() and self._process.exit_status is None

    async def run(self, command: str, timeout: float) -> Reply:
        """Run in a subshell, so that an `exit` or a `cd` leaves the held shell as it was."""
        async with self._lock:
            mark = self._mark
            ends = f"printf '\\n%s %s\\n' {mark} \"$?\"; printf '\\n%s\\n' {mark} >&2"
            text = f"( {command}\n) </dev/null; {ends}\n"
            answered = False
            try:
                async with asyncio.timeout(timeout):
                    self._process.stdin.write(text.encode())
                    out, err = await asyncio.gather(self._out.mark(mark), self._err.mark(mark))
                    answered = True
            finally:
                if not answered:  # Whatever comes now would be read as the next command's answer.
                    self._process.close()
            return Reply(
                int(out[1] or b"0"), out[0].decode("utf-8", "replace"), err[0].decode("utf-8", "replace")
            )


class _Until:
    """Reads a stream up to a marker; what follows stays for the next call."""

    def __init__(self, stream: asyncssh.SSHReader[bytes]) -> None:
        self._stream, self._buffer = stream, bytearray()

    def rest(self) -> bytes:
        return bytes(self._buffer)

    async def line(self, mark: str) -> None:
        await self._find(mark.encode() + b"\n")

    async def mark(self, mark: str) -> tuple[bytes, bytes]:
        """(what came before the marker, what stands behind it on its line)."""
        before = await self._find(b"\n" + mark.encode())
        return before, (await self._find(b"\n")).strip()

    async def _find(self, wanted: bytes) -> bytes:
        seen = 0
        while (at := self._buffer.find(wanted, max(0, seen - len(wanted)))) < 0:
            seen = len(self._buffer)
            more = await self._stream.read(65536)
            if not more:
                raise EOFError
            self._buffer += more
        found = bytes(self._buffer[:at])
        del self._buffer[: at + len(wanted)]
        return found
