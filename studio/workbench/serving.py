"""The worker's side of the pipe: calls come in, progress, partial results and answers go out."""

from __future__ import annotations

import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from threading import Condition, Event, Lock
from typing import Any

from studio.control import Cancelled, Control
from studio.errors import StudioError, WorkerError

BACKGROUND = frozenset({"sensitivity", "search", "diagnose"})


@dataclass(frozen=True, slots=True)
class Call:
    """Run `verb` of the workbench. With `emits` it is handed an `emit` before its control."""

    ticket: int
    verb: str
    arguments: tuple[object, ...]
    emits: bool


@dataclass(frozen=True, slots=True)
class Cancel:
    ticket: int


@dataclass(frozen=True, slots=True)
class Progress:
    ticket: int
    fraction: float
    text: str


@dataclass(frozen=True, slots=True)
class Partial:
    """A result so far."""

    ticket: int
    value: object


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a call: a value, or an expected error, or the trace of a bug, or `cancelled`."""

    ticket: int
    value: object = None
    error: StudioError | None = None
    bug: str = ""
    cancelled: bool = False


def serve(connection: Connection, factory: Callable[[], Any], memory: int) -> None:
    """Entry of the worker process: work for `connection` until it closes.

    `memory` limits the process's private memory in bytes (0: no limit).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller decides what Ctrl-C means
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no JSON of ours
    if memory:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    server = _Server(connection, factory())
    server.run()
    os._exit(0)  # a call that does not heed must not keep a worker alive that nobody listens to


class _Gate:
    """Keeps background calls waiting while a foreground call runs."""

    def __init__(self) -> None:
        self._free = Condition()
        self._front = 0

    def __enter__(self) -> None:
        with self._free:
            self._front += 1

    def __exit__(self, *_: object) -> None:
        with self._free:
            self._front -= 1
            self._free.notify_all()

    def wait(self, cancel: Event) -> None:
        with self._free:
            while self._front and not cancel.is_set():
                self._free.wait(0.05)


class _Server:
    def __init__(self, connection: Connection, workbench: Any) -> None:
        self._connection, self._workbench = connection, workbench
        self._sending, self._gate = Lock(), _Gate()
        self._cancels: dict[int, Event] = {}
        self._front = ThreadPoolExecutor(1, thread_name_prefix="front")
        self._back = ThreadPoolExecutor(1, thread_name_prefix="back")

    def run(self) -> None:
        while (message := self._receive()) is not None:
            if isinstance(message, Cancel):
                if cancel := self._cancels.get(message.ticket):
                    cancel.set()
            else:
                self._start(message)

    def _receive(self) -> Call | Cancel | None:
        try:
            message: Call | Cancel = self._connection.recv()
        except (EOFError, OSError):
            return None
        return message

    def _start(self, call: Call) -> None:
        cancel = self._cancels[call.ticket] = Event()
        if call.verb in BACKGROUND:
            future = self._back.submit(self._work, call, cancel, True)
        else:
            future = self._back_off(call, cancel)
        future.add_done_callback(partial(self._finish, call.ticket))

    def _back_off(self, call: Call, cancel: Event) -> Future[object]:
        def guarded() -> object:
            with self._gate:
                return self._work(call, cancel, False)

        return self._front.submit(guarded)

    def _work(self, call: Call, cancel: Event, behind: bool) -> object:
        def progress(fraction: float, text: str) -> None:
            self._send(Progress(call.ticket, fraction, text))
            if behind:
                self._gate.wait(cancel)

        control = Control(progress, cancel)
        control.check()
        emit = (lambda value: self._send(Partial(call.ticket, value)),) if call.emits else ()
        return getattr(self._workbench, call.verb)(*call.arguments, *emit, control)

    def _finish(self, ticket: int, future: Future[object]) -> None:
        del self._cancels[ticket]
        error = future.exception()
        self._send(_answer(ticket, error) if error else Answer(ticket, future.result()))

    def _send(self, message: Progress | Partial | Answer) -> None:
        with self._sending:
            try:
                self._connection.send(message)
            except OSError:
                os._exit(0)


def _answer(ticket: int, error: BaseException) -> Answer:
    if isinstance(error, Cancelled):
        return Answer(ticket, cancelled=True)
    if isinstance(error, StudioError):
        return Answer(ticket, error=error)
    if isinstance(error, MemoryError):
        cause = "the worker's memory limit was reached"
        return Answer(ticket, error=WorkerError("this step", cause, "Use fewer samples or a smaller model."))
    return Answer(ticket, bug="".join(traceback.format_exception(error)))
