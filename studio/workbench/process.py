"""A Workbench in a spawned process: a crash or out-of-memory kills the worker, and never the work."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

import psutil

from studio.artifact import Artifact
from studio.control import Cancelled, Control
from studio.data.reference import DataFacts, DataRef
from studio.data.thumbnails import Thumbnail
from studio.doctor.findings import Diagnosis, Finding
from studio.errors import WorkerError
from studio.graph.model import Facts
from studio.metrics import (
    ActivationView,
    CodedRange,
    Comparison,
    LatencyPair,
    LayerDrift,
    Prepared,
    SampleLook,
    Sensitivity,
    WeightView,
)
from studio.search.budgets import Wish
from studio.search.front import Found, Visited
from studio.workbench.api import Candidate, Evaluation, Goldens, Job, ModelRef, Workbench, Written
from studio.workbench.life import Deadline, Life, Message
from studio.workbench.serving import Answer, Call, Progress

Emit = Callable[[Any], None]

_TICK = 0.05
_OPEN_DEADLINE = 900.0  # only ends what waits for ever: files are guarded in a child, by processor time
_SILENCE = 300.0


class WorkerFaultError(RuntimeError):
    """An unexpected exception inside the worker; the text is its trace."""


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
        self._life: Life | None = None

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

    def prepare(self, job: Job, layers: tuple[str, ...], control: Control) -> Prepared:
        found: Prepared = self._call("prepare", (job, layers), control)
        return found

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
        self,
        job: Job,
        rounds: int,
        cluster: str,
        emit: Callable[[Sensitivity], None],
        control: Control,
    ) -> tuple[Sensitivity, ...]:
        found: tuple[Sensitivity, ...] = self._call("sensitivity", (job, rounds, cluster), control, emit)
        return found

    def search(self, job: Job, wish: Wish, emit: Callable[[Visited], None], control: Control) -> Found:
        found: Found = self._call("search", (job, wish), control, emit)
        return found

    def diagnose(self, job: Job, emit: Callable[[Finding], None], control: Control) -> Diagnosis:
        found: Diagnosis = self._call("diagnose", (job,), control, emit)
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

    def weights(self, job: Job, layer: str, control: Control) -> WeightView:
        found: WeightView = self._call("weights", (job, layer), control)
        return found

    def activations(self, job: Job, layer: str, control: Control) -> ActivationView:
        found: ActivationView = self._call("activations", (job, layer), control)
        return found

    def ranges(self, path: str, control: Control) -> tuple[CodedRange, ...]:
        found: tuple[CodedRange, ...] = self._call("ranges", (path,), control)
        return found

    def thumbnails(
        self, model: ModelRef, data: DataRef, samples: tuple[int, ...], control: Control
    ) -> tuple[Thumbnail, ...]:
        found: tuple[Thumbnail, ...] = self._call("thumbnails", (model, data, samples), control)
        return found

    def look(self, model: ModelRef, data: DataRef, samples: tuple[int, ...], control: Control) -> SampleLook:
        found: SampleLook = self._call("look", (model, data, samples), control)
        return found

    # How.

    def _living(self) -> Life:
        with self._lock:
            if self._life is None or not self._life.alive:
                self._life = Life(self._factory, self._memory)
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
                life, inbox, control, emit, Deadline(verb, arguments, deadline, self._silence)
            )
            done = True
        finally:
            life.leave(ticket, cancel=not done)
        return _value(answer)

    def _await(
        self,
        life: Life,
        inbox: SimpleQueue[Message | None],
        control: Control,
        emit: Emit | None,
        deadline: Deadline,
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

    def _died(self, life: Life) -> WorkerError:
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


def _value(answer: Answer) -> Any:
    if answer.cancelled:
        raise Cancelled
    if answer.error is not None:
        raise answer.error
    if answer.bug:
        raise WorkerFaultError(answer.bug)
    return answer.value
