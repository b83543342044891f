"""The Link to this computer: the very same board scripts, run by the local `sh`."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from studio.boards.links.link import BLOCK, Line, Moved, Piece, Reply, Take
from studio.control import Cancelled, Control
from studio.errors import BoardError


class LocalLink:
    """Runs commands in `sh` with the home folder as working folder, as an SSH server would."""

    alive = True

    def __init__(self, shell: tuple[str, ...] = ("sh",)) -> None:
        self._shell = shell

    def run(self, command: str, timeout: float = 60.0) -> Reply:
        process = self._start(command)
        try:
            out, err = process.communicate(b"", timeout)
        except subprocess.TimeoutExpired as error:
            _kill(process)
            raise BoardError("this computer", f"no answer in {timeout:.0f} s", "Try again.") from error
        return Reply(process.returncode, _text(out), _text(err))

    def feed(self, command: str, data: bytes | Piece, control: Control, moved: Moved | None = None) -> Reply:
        return self._exchange(command, data, control, moved, None)

    def fetch(self, command: str, take: Take, control: Control, moved: Moved | None = None) -> Reply:
        process = self._start(command)
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.close()
        err = _Drain(process.stderr, None)
        count, done = 0, False
        try:
            while block := process.stdout.read(BLOCK):
                control.check()
                take(block)
                count += len(block)
                if moved is not None:
                    moved(count)
            done = True
        finally:
            if not done:
                _kill(process)
            err.join()
            process.wait()
            process.stdout.close()
            process.stderr.close()
        return Reply(process.returncode, "", _text(bytes(err.data)))

    def follow(self, command: str, control: Control, line: Line | None = None) -> Reply:
        return self._exchange(command, b"", control, None, line)

    def close(self) -> None:
        """Nothing is held open."""

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        # A group of its own, so that cancelling ends the command's children as well.
        return subprocess.Popen(
            [*self._shell, "-c", command],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            cwd=Path.home(),
            start_new_session=True,
        )

    def _exchange(
        self, command: str, data: bytes | Piece, control: Control, moved: Moved | None, line: Line | None
    ) -> Reply:
        process = self._start(command)
        assert process.stdin
        assert process.stdout
        assert process.stderr
        out, err = _Drain(process.stdout, None), _Drain(process.stderr, line)
        try:
            _pour(process.stdin, data, control, moved)
            while process.poll() is None:
                control.check()
                out.join(0.05)
        except Cancelled:
            _kill(process)
            raise
        finally:
            out.join()
            err.join()
            process.wait()
            process.stdout.close()
            process.stderr.close()
        return Reply(process.returncode, _text(bytes(out.data)), _text(bytes(err.data)))


class _Drain(threading.Thread):
    """Collects a pipe, line by line, so that neither side waits for the other."""

    def __init__(self, pipe: IO[bytes], line: Line | None) -> None:
        super().__init__(daemon=True)
        self.data = bytearray()
        self._pipe, self._line = pipe, line
        self.start()

    def run(self) -> None:
        for raw in self._pipe:
            self.data += raw
            if self._line is not None:
                self._line(_text(raw).rstrip("\n"))


def _pour(pipe: IO[bytes], data: bytes | Piece, control: Control, moved: Moved | None) -> None:
    sent = 0
    try:
        with pipe:
            for block in blocks(data):
                control.check()
                pipe.write(block)
                sent += len(block)
                if moved is not None:
                    moved(sent)
    except BrokenPipeError:
        return  # The command ended early; its status says why.


def blocks(data: bytes | Piece) -> Iterator[bytes]:
    """The bytes to send, in blocks that keep both sides busy."""
    if isinstance(data, bytes):
        yield from (data[start : start + BLOCK] for start in range(0, len(data), BLOCK))
        return
    with data.path.open("rb") as file:
        file.seek(data.offset)
        left = data.length
        while left > 0 and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            yield block


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
