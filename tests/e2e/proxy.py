"""A wire between a client and a port of this computer: it counts what passes, and may be slow or far away."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Queue
from types import TracebackType

from sshd import free_port


@dataclass
class Proxy:
    """Hands bytes on to `target`: at most `rate` bytes a second, `delay` seconds late; 0 as they come."""

    target: int
    rate: float = 0.0
    delay: float = 0.0
    port: int = field(default_factory=free_port)
    sent: int = 0

    def __enter__(self) -> Proxy:
        self._door = socket.create_server(("127.0.0.1", self.port))
        self._open: list[socket.socket] = [self._door]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in list(self._open):
            _shut(each)
        for thread in self._threads:  # Each ends with its socket; some begin others.
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._door.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self._open += [near, far]
                self._start(self._carry, near, far, True)
                self._start(self._carry, far, near, False)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _carry(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        """Take what comes, and say when it is due at the other end; ends with either side."""
        wire: Queue[tuple[float, bytes]] = Queue(maxsize=16)  # A wire holds little: then the sender waits.
        self._start(self._deliver, wire, sink)
        free = time.monotonic()
        with contextlib.suppress(OSError):
            while block := source.recv(16384):
                free = max(free, time.monotonic()) + (len(block) / self.rate if self.rate else 0.0)
                wire.put((free + self.delay, block))
                self.sent += len(block) if counted else 0
        wire.put((0.0, b""))

    def _deliver(self, wire: Queue[tuple[float, bytes]], sink: socket.socket) -> None:
        while block := (due := wire.get())[1]:
            time.sleep(max(due[0] - time.monotonic(), 0.0))
            with contextlib.suppress(OSError):  # The other end may be gone.
                sink.sendall(block)
        _shut(sink)


def _shut(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
