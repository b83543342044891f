"""One worker process from start to death, seen from the caller's side."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue
from threading import Lock, Thread

from studio.errors import ModelError, WorkerError
from studio.workbench.serving import Answer, Call, Cancel, Partial, Progress, serve

Message = Answer | Partial | Progress


class Life:
    """One worker process from start to death. Every waiting call learns of the death."""

    def __init__(self, factory: Callable[[], object], memory: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(
            target=serve, args=(theirs, factory, memory), name="trimtab-worker", daemon=True
        )
        self.process.start()
        theirs.close()
        self.heard = time.monotonic()
        self._lock = Lock()
        self._waiting: dict[int, SimpleQueue[Message | None]] = {}
        self._dead = False
        Thread(target=self._listen, args=(self.connection,), name="worker-reader", daemon=True).start()

    @property
    def alive(self) -> bool:
        return not self._dead

    def call(self, call: Call) -> SimpleQueue[Message | None]:
        """Send a call; its messages come through the queue, None if the worker died."""
        inbox: SimpleQueue[Message | None] = SimpleQueue()
        with self._lock:
            if self._dead:
                inbox.put(None)
                return inbox
            self._waiting[call.ticket] = inbox
            with suppress(OSError):  # a dead worker: the reader tells every waiting call
                self.connection.send(call)
        return inbox

    def leave(self, ticket: int, cancel: bool) -> None:
        """Stop listening to a call, and ask the worker to stop it."""
        with self._lock:
            self._waiting.pop(ticket, None)
            if cancel and not self._dead:
                with suppress(OSError):
                    self.connection.send(Cancel(ticket))

    def end(self, seconds: float) -> None:
        """Close the pipe, which ends the worker; kill it where it does not go in time."""
        with self._lock:
            self._dead = True
        self.process.terminate()
        self.process.join(seconds)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def _listen(self, connection: Connection) -> None:
        while (message := _received(connection)) is not None:
            self.heard = time.monotonic()
            with self._lock:
                inbox = self._waiting.get(message.ticket)
            if inbox is not None:
                inbox.put(message)
        self.process.join(5.0)
        with self._lock:
            self._dead = True
            for inbox in self._waiting.values():
                inbox.put(None)
        connection.close()


def _received(connection: Connection) -> Message | None:
    try:
        message: Message = connection.recv()
    except (EOFError, OSError):
        return None
    return message


class Deadline:
    """When a call has taken too long, and what to say then."""

    def __init__(self, verb: str, arguments: tuple[object, ...], whole: float, silence: float) -> None:
        self._verb, self._thing = verb, str(arguments[0]) if verb == "open" else "this step"
        self._whole, self._silence = whole, silence
        self._began = time.monotonic()

    def over(self, life: Life) -> bool:
        now = time.monotonic()
        if self._whole and now - self._began > self._whole:
            return True
        return now - max(life.heard, self._began) > self._silence

    def error(self) -> ModelError | WorkerError:
        if self._verb == "open":
            cause = f"opening took more than {self._whole:g} s and was stopped"
            return ModelError(self._thing, cause, "Check where the file is from; export it again.")
        cause = (
            f"the worker gave no sign of life for {self._silence:g} s and was restarted; your work is kept"
        )
        return WorkerError(self._thing, cause, "Try again, with fewer samples or another recipe.")
