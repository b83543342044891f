"""A Workbench in a spawned process: a crash or out-of-memory kills the worker, and never the work."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

import psutil

from studio.artifact import Artifact
from studio.control import Cancelled, Control
from studio.data.reference import DataFacts, DataRef
from studio.errors import ModelError, WorkerError
from studio.graph.model import Facts
from studio.metrics import Comparison, LatencyPair, LayerDrift, Sensitivity
from studio.serving import Answer, Call, Cancel, Partial, Progress, serve
from studio.workbench_api import Candidate, Evaluation, Goldens, Job, ModelRef, Workbench, Written

Message = Answer | Partial | Progress
Emit = Callable[[Any], None]

_TICK = 0.05
_OPEN_DEADLINE = 120.0
_SILENCE = 300.0


class WorkerFaultError(RuntimeError):
    """An unexpected exception inside the worker; the text is its trace."""


class _Life:
    """One worker process from start to death. Every waiting call learns of the death."""

    def __init__(self, factory: Callable[[], Workbench], memory: int) -> None:
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


class ProcessWorkbench:
    """Runs `factory()` in one spawned process and restarts it when it dies.

    `memory` limits the worker's private memory in bytes (0: three quarters of this computer's).
    `open_deadline` bounds the opening of an untrusted file, `silence` any call that shows no sign of
    life, both in seconds; then the worker is killed. A call that loses its worker raises `WorkerError`.
    """

    def __init__(
        self,
        factory: Callable[[], Workbench],
        memory: int = 0,
        open_deadline: float = _OPEN_DEADLINE,
        silence: float = _SILENCE,
    ) -> None:
        self._factory = factory
        self._memory = memory or int(psutil.virtual_memory().total * 0.75)
        self._open_deadline, self._silence = open_deadline, silence
        self._tickets = itertools.count(1)
        self._lock = Lock()
        self._life: _Life | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None where none runs."""
        life = self._life
        return life.process.pid if life and life.alive else None

    def start(self) -> None:
        """Start the worker before it is needed; done by itself at the first call."""
        self._living()

    def close(self) -> None:
        with self._lock:
            life, self._life = self._life, None
        if life is not None:
            life.end(2.0)

    # The verbs of Workbench.

    def open(self, path: str, control: Control) -> Facts:
        facts: Facts = self._call("open", (path,), control, deadline=self._open_deadline)
        return facts

    def attach(self, model: ModelRef, data: DataRef, control: Control) -> DataFacts:
        facts: DataFacts = self._call("attach", (model, data), control)
        return facts

    def build(self, job: Job, control: Control) -> Artifact:
        artifact: Artifact = self._call("build", (job,), control)
        return artifact

    def compare(
        self,
        model: ModelRef,
        candidate: Candidate,
        data: DataRef,
        emit: Callable[[Comparison], None],
        control: Control,
    ) -> Comparison:
        found: Comparison = self._call("compare", (model, candidate, data), control, emit)
        return found

    def evaluate(
        self, model: ModelRef, data: DataRef, emit: Callable[[Evaluation], None], control: Control
    ) -> Evaluation:
        found: Evaluation = self._call("evaluate", (model, data), control, emit)
        return found

    def drift(
        self, model: ModelRef, candidate: Candidate, data: DataRef, control: Control
    ) -> tuple[LayerDrift, ...]:
        found: tuple[LayerDrift, ...] = self._call("drift", (model, candidate, data), control)
        return found

    def latency(
        self, model: ModelRef, candidate: Candidate, data: DataRef | None, control: Control
    ) -> LatencyPair:
        found: LatencyPair = self._call("latency", (model, candidate, data), control)
        return found

    def sensitivity(
        self, job: Job, emit: Callable[[Sensitivity], None], control: Control
    ) -> tuple[Sensitivity, ...]:
        found: tuple[Sensitivity, ...] = self._call("sensitivity", (job,), control, emit)
        return found

    def export(self, artifact: Artifact, out: str, job: Job, control: Control) -> Written:
        written: Written = self._call("export", (artifact, out, job), control)
        return written

    def goldens(
        self, model: ModelRef, candidate: Candidate, data: DataRef | None, control: Control
    ) -> Goldens:
        found: Goldens = self._call("goldens", (model, candidate, data), control)
        return found

    def kernels(self, path: str, control: Control) -> tuple[tuple[str, int], ...]:
        found: tuple[tuple[str, int], ...] = self._call("kernels", (path,), control)
        return found

    # How.

    def _living(self) -> _Life:
        with self._lock:
            if self._life is None or not self._life.alive:
                self._life = _Life(self._factory, self._memory)
            return self._life

    def _call(
        self,
        verb: str,
        arguments: tuple[object, ...],
        control: Control,
        emit: Emit | None = None,
        deadline: float = 0.0,
    ) -> Any:
        control.check()
        life, ticket = self._living(), next(self._tickets)
        inbox = life.call(Call(ticket, verb, arguments, emit is not None))
        done = False
        try:
            answer = self._await(
                life, inbox, control, emit, _Deadline(verb, arguments, deadline, self._silence)
            )
            done = True
        finally:
            life.leave(ticket, cancel=not done)
        return _value(answer)

    def _await(
        self,
        life: _Life,
        inbox: SimpleQueue[Message | None],
        control: Control,
        emit: Emit | None,
        deadline: _Deadline,
    ) -> Answer:
        while True:
            try:
                message = inbox.get(timeout=_TICK)
            except Empty:
                control.check()
                if deadline.over(life):
                    life.end(0.0)
                    self._living()
                    raise deadline.error() from None
                continue
            if message is None:
                raise self._died(life)
            if isinstance(message, Answer):
                return message
            if isinstance(message, Progress):
                control.step(message.fraction, message.text)
            elif emit is not None:
                control.check()
                emit(message.value)

    def _died(self, life: _Life) -> WorkerError:
        code = life.process.exitcode
        why = (
            f"it was ended by signal {-code}"
            if code is not None and code < 0
            else f"it left with status {code}"
        )
        if code == -9:
            why += ", usually because memory ran out"
        self._living()
        cause = f"the worker died ({why}); it was restarted, your work is kept"
        return WorkerError("this step", cause, "Try again, with fewer samples if it happens twice.")


class _Deadline:
    """When a call has taken too long, and what to say then."""

    def __init__(self, verb: str, arguments: tuple[object, ...], whole: float, silence: float) -> None:
        self._verb, self._thing = verb, str(arguments[0]) if verb == "open" else "this step"
        self._whole, self._silence = whole, silence
        self._began = time.monotonic()

    def over(self, life: _Life) -> bool:
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


def _value(answer: Answer) -> Any:
    if answer.cancelled:
        raise Cancelled
    if answer.error is not None:
        raise answer.error
    if answer.bug:
        raise WorkerFaultError(answer.bug)
    return answer.value
