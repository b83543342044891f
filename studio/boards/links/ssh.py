"""The Link over SSH: asyncssh in the loop thread, one held `sh`, bytes streamed into commands (no SFTP)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from studio.boards.book import Board
from studio.boards.links import shell
from studio.boards.links.asking import TRIES, Secrets
from studio.boards.links.faults import explained, lost
from studio.boards.links.hostkeys import HostKey, KnownHosts, refusal
from studio.boards.links.link import BLOCK, Line, Moved, Piece, Reply, Take
from studio.boards.links.local import blocks
from studio.boards.links.login import Password, credentials
from studio.boards.links.loop import LoopThread
from studio.control import Control
from studio.errors import BoardError

if TYPE_CHECKING:
    import asyncssh

T = TypeVar("T")
CONNECT_SECONDS = 15.0
_IGNORE = 2  # SSH_MSG_IGNORE, RFC 4250, 4.1.2
# With AES instructions on both sides this halves the cost of a push; without them it is the slowest choice.
_AES_FIRST = ("aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes128-ctr", "aes256-ctr")
# As OpenSSH prefers them: the fingerprint shown is then the one that `ssh` shows for the same board.
_KEY_KINDS = (
    "ssh-ed25519",
    *("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    *("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),
)


class SshLink:
    """One connection to one board, opened at the first call."""

    def __init__(
        self, board: Board, hosts: KnownHosts, loop: LoopThread, secrets: Secrets | None = None
    ) -> None:
        self.board, self._hosts, self._loop = board, hosts, loop
        self._secrets = secrets or Secrets()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._shell: shell.HeldShell | None = None
        self._closed = False
        self._opening = asyncio.Lock()

    @property
    def alive(self) -> bool:
        return not self._closed and (self._connection is None or not self._connection.is_closed())

    def run(self, command: str, timeout: float = 60.0) -> Reply:
        return self._loop.wait(self._guarded(self._run(command, timeout)))

    def feed(self, command: str, data: bytes | Piece, control: Control, moved: Moved | None = None) -> Reply:
        work = _Exchange(self.board.name, command, data)

        def tick() -> None:
            control.check()
            if moved is not None:
                moved(work.sent)

        return self._loop.wait(self._guarded(self._exchange(work)), tick)

    def fetch(self, command: str, take: Take, control: Control, moved: Moved | None = None) -> Reply:
        work = _Exchange(self.board.name, command, b"", take)

        def tick() -> None:
            control.check()
            if moved is not None:
                moved(work.received)

        return self._loop.wait(self._guarded(self._exchange(work)), tick)

    def follow(self, command: str, control: Control, line: Line | None = None) -> Reply:
        work = _Exchange(self.board.name, command, b"")

        def tick() -> None:
            control.check()
            while work.lines:
                text = work.lines.pop(0)
                if line is not None:
                    line(text)

        return self._loop.wait(self._guarded(self._exchange(work)), tick)

    def host_key(self) -> HostKey:
        """The key that the server shows, judged; nothing is sent to it and nobody logs in."""
        return self._loop.wait(self._guarded(_shown_key(self.board, self._hosts)))

    def close(self) -> None:
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            self._loop.wait(_hang_up(connection))

    async def _guarded(self, work: Coroutine[Any, Any, T]) -> T:
        with explained(self.board):
            return await work

    async def _exchange(self, work: _Exchange) -> Reply:
        return await work.run(await self._open())

    async def _run(self, command: str, timeout: float) -> Reply:
        connection = await self._open()
        async with self._opening:
            if self._shell is None or not self._shell.alive:
                self._shell = await shell.HeldShell.start(connection, self.board.name, CONNECT_SECONDS)
        try:
            return await self._shell.run(command, timeout)
        except EOFError as error:
            raise lost(self.board.name) from error
        except TimeoutError as error:
            raise BoardError(
                self.board.name, f"no answer in {timeout:.0f} s", "Check the board's load and storage."
            ) from error

    async def _open(self) -> asyncssh.SSHClientConnection:
        async with self._opening:
            if self._connection is None or self._connection.is_closed():
                self._shell = None
                self._connection = await self._connect()
            return self._connection

    async def _connect(self) -> asyncssh.SSHClientConnection:
        import asyncssh

        options = _address(self.board) | await asyncio.to_thread(credentials, self.board, self._secrets)
        host, port = await _filed(self.board)
        if not any(self._hosts.trusted(host, "", port)[:2]):
            raise refusal(f"board {self.board.name}", await _shown_key(self.board, self._hosts))
        password = Password(self._secrets, self.board)
        for _ in range(TRIES):
            try:
                return await self._login(options, password)
            except asyncssh.PermissionDenied:
                # Asked between two connections, as servers do not wait for a human.
                if not await asyncio.to_thread(password.ask):
                    raise
        return await self._login(options, password)

    async def _login(self, options: dict[str, Any], password: Password) -> asyncssh.SSHClientConnection:
        import asyncssh

        try:
            connection = await asyncssh.connect(
                **options,
                password=password,
                known_hosts=self._hosts.trusted,
                compression_algs=None,
                keepalive_interval=2,
                keepalive_count_max=2,
                connect_timeout=CONNECT_SECONDS,
                login_timeout=CONNECT_SECONDS,
            )
            _spare_ignored(connection)
            return connection
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
            key = await _shown_key(self.board, self._hosts)
            if key.state == "known":
                raise
            raise refusal(f"board {self.board.name}", key) from None


class _Exchange:
    """One command in a channel of its own: bytes in, both outputs back, or the first one to `take`."""

    def __init__(self, board: str, command: str, data: bytes | Piece, take: Take | None = None) -> None:
        self._board, self._data, self._mark = board, data, shell.fresh_mark()
        self._command = shell.start_line(self._mark) + command
        self._head, self._begun, self._out = b"", False, bytearray()
        self._take = take or self._out.extend
        self.sent = self.received = 0
        self.lines: list[str] = []

    async def run(self, connection: asyncssh.SSHClientConnection) -> Reply:
        process = await connection.create_process(self._command, encoding=None)
        pouring = asyncio.create_task(self._pour(process))
        try:
            _, err = await asyncio.gather(self._outputs(process), self._errors(process))
            await process.wait_closed()
        finally:
            pouring.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pouring
            process.close()
        if process.exit_status is None and process.exit_signal is None:
            raise lost(self._board)
        if not self._begun:
            raise shell.no_mark(self._head, self._board)
        status = 128 if process.exit_status in (None, -1) else process.exit_status
        return Reply(int(status or 0), shell.text_of(bytes(self._out)), shell.text_of(err))

    async def _pour(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for block in blocks(self._data):
                process.stdin.write(block)
                await process.stdin.drain()
                if process.is_closing():
                    return
                self.sent += len(block)
            process.stdin.write_eof()

    async def _outputs(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        """Everything behind the marker line."""
        while block := await process.stdout.read(BLOCK):
            if not self._begun:
                self._head += block
                _, found, block = self._head.partition(self._mark.encode() + b"\n")
                self._begun = bool(found)
            self.received += len(block)
            self._take(block)

    async def _errors(self, process: asyncssh.SSHClientProcess[bytes]) -> bytes:
        seen = bytearray()
        while line := await process.stderr.readline():
            seen += line
            self.lines.append(shell.text_of(line).rstrip("\n"))
        return bytes(seen)


def _address(board: Board) -> dict[str, Any]:
    options: dict[str, Any] = {"host": board.host}
    if board.port:
        options["port"] = board.port
    if board.user:
        options["username"] = board.user
    if board.aes:
        options["encryption_algs"] = _AES_FIRST
    return options


def _spare_ignored(connection: asyncssh.SSHClientConnection) -> None:
    """Leave out the SSH_MSG_IGNORE that asyncssh puts before each packet, where the cipher needs none.

    They hide the initialization vectors of CBC modes (RFC 4251, 9.3.1). With an authenticating cipher they
    protect nothing and cost both sides a quarter of the time of a push. asyncssh has no setting for it.
    """
    cipher = str(connection.get_extra_info("send_cipher"))
    if "gcm" not in cipher and "poly1305" not in cipher:
        return
    send = connection.send_packet

    def sparing(kind: int, *parts: bytes, **more: Any) -> None:
        if kind != _IGNORE:
            send(kind, *parts, **more)

    setattr(connection, "send_packet", sparing)  # noqa: B010  # mypy knows it as a method


async def _shown_key(board: Board, hosts: KnownHosts) -> HostKey:
    import asyncssh

    host, port = await _filed(board)
    known = hosts.trusted(host, "", port)[0]
    kinds = [name.decode() for key in known for name in key.sig_algorithms] or list(_KEY_KINDS)
    plain = {name: value for name, value in _address(board).items() if name in ("host", "port")}
    async with asyncio.timeout(CONNECT_SECONDS):
        try:
            key = await asyncssh.get_server_host_key(**plain, server_host_key_algs=kinds)
        except asyncssh.KeyExchangeFailed:
            key = await asyncssh.get_server_host_key(**plain, server_host_key_algs=_KEY_KINDS)
    if key is None:
        raise BoardError(f"board {board.name}", "it showed no host key", "Check what listens on that port.")
    return hosts.judge(host, port, key)


async def _filed(board: Board) -> tuple[str, int]:
    """(name, port) under which the board's host key is filed, after `~/.ssh/config`."""
    import asyncssh

    settings = await asyncssh.SSHClientConnectionOptions.construct(config=(), **_address(board))
    return settings.host_key_alias or settings.host, settings.port


async def _hang_up(connection: asyncssh.SSHClientConnection) -> None:
    connection.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            await connection.wait_closed()
            return
    connection.abort()
