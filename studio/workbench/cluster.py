"""Candidates built and measured by the workers of a Dask cluster, with the results of this computer."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from studio.control import Control
from studio.errors import DataError, ModelError, WorkerError
from studio.paths import cache_dir
from studio.search.budgets import Wish
from studio.search.front import Visited
from studio.workbench.api import Job, ModelRef
from studio.workbench.parcels import Parcel, pack, unpack

if TYPE_CHECKING:
    from distributed import Client, Future

    from studio.measure.sensitivity import Asked, Trial
    from studio.measure.sensitivity_store import Effect
    from studio.workbench.local import LocalWorkbench

T = TypeVar("T")
Task = Callable[["LocalWorkbench", Job], T]
_ANSWER, _TICK, _TRIES = 15.0, 0.02, 4


@dataclass(frozen=True, slots=True)
class Files:
    """The files that every candidate needs, with their content keys; those `beside` belong to the model."""

    model: Path
    model_key: str
    beside: tuple[Path, ...]
    data: Path
    data_key: str


@dataclass(frozen=True, slots=True)
class Errand(Generic[T]):
    """A task for a worker's workbench, and what tells of it here."""

    task: Task[T]
    job: Job
    control: Control


class Crew:
    """The workers at `address` for one search or sensitivity. Raises `WorkerError` where nobody answers.

    Workers open the model and the data by their paths where the same content lies there, and else get the
    content. What a lost worker had begun, another one does again: Dask sees to it.
    """

    def __init__(self, address: str, files: Files) -> None:
        self.address, self._files = address, files
        self._client = _connected(address)
        self._parcels: Future[tuple[Parcel, Parcel]] | None = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def visits(self, jobs: Sequence[tuple[Job, Control]], wish: Wish) -> Generator[Visited]:
        """Candidates built and measured; see `_each`."""
        task = partial(_visit, wish=wish)
        yield from self._each([Errand(task, job, control) for job, control in jobs])

    def effects(self, job: Job, asked: Sequence[Asked]) -> Generator[Effect]:
        """What single settings laid over `job` do; see `_each`."""
        tasks = [(partial(_effect, trial=trial, order=order), control) for trial, order, control in asked]
        yield from self._each([Errand(task, job, control) for task, control in tasks])

    def _each(self, errands: Sequence[Errand[T]]) -> Generator[T]:
        """All at once, given in order. Raises `WorkerError`, and what building and measuring raise there."""
        futures = [self._submit(each) for each in errands]
        try:
            for future, errand in zip(futures, errands, strict=True):
                yield self._collected(future, errand)
        finally:
            self._client.cancel(futures, force=True)

    def _submit(self, errand: Errand[T]) -> Future[T | None]:
        key = self._files.data_key
        future: Future[T | None] = self._client.submit(
            run, errand.task, errand.job, key, self._parcels, pure=False
        )
        return future

    def _collected(self, future: Future[T | None], errand: Errand[T]) -> T:
        """The result; where a worker lacks the files, or what was sent went with a worker, sent again."""
        from distributed.client import FutureCancelledError

        for _ in range(_TRIES):
            try:
                found = self._result(future, errand)
                if found is not None:
                    return found
            except FutureCancelledError:
                self._parcels = None
            self._send()
            future = self._submit(errand)
        raise self._failed("its workers cannot open the model and the data")

    def _send(self) -> None:
        """Bring model and data to the workers by content, once."""
        if self._parcels is not None:
            return
        files = self._files
        try:
            model = pack(files.model, files.model_key, files.beside)
            parcels = model, pack(files.data, files.data_key)
        except OSError as error:
            fix = "Check the path and the permissions."
            raise DataError(str(error.filename), f"it cannot be sent ({error.strerror})", fix) from error
        self._parcels = self._client.scatter(parcels, broadcast=True)

    def _result(self, future: Future[T | None], errand: Errand[T]) -> T | None:
        from distributed.scheduler import KilledWorker

        while not future.done():
            errand.control.check()
            if self._client.status != "running":
                raise self._failed("the connection was lost")
            sleep(_TICK)
        try:
            found: T | None = future.result()
        except KilledWorker as error:
            raise self._failed("its workers died of this candidate, one after the other") from error
        except ModuleNotFoundError as error:
            raise self._failed(f"its workers have no {error.name}") from error
        return found

    def _failed(self, cause: str) -> WorkerError:
        fix = "Mend it and search again: what was measured by now is kept."
        return WorkerError(f"cluster {self.address}", cause, fix)


def run(task: Task[T], job: Job, data_key: str, sent: tuple[Parcel, Parcel] | None) -> T | None:
    """On a worker: do the task, with the model and the data that were `sent`, else with those at the paths
    of `job`; None where other files lie there, or none.
    """
    bench = _bench()
    if sent is not None:
        job = _unpacked(job, sent)
    assert job.data is not None  # all that is sent out needs samples
    try:
        facts = bench.attach(job.model, job.data, Control())
    except (ModelError, DataError):
        if sent is not None:
            raise
        return None
    return task(bench, job) if facts.key == data_key else None


def _visit(bench: LocalWorkbench, job: Job, wish: Wish) -> Visited:
    return bench.visit(job, wish, Control())


def _effect(bench: LocalWorkbench, job: Job, trial: Trial, order: str) -> Effect:
    return bench.effect(job, trial, order, Control())


@cache
def _bench() -> LocalWorkbench:
    """The one of this worker process: what it opened for a candidate serves the next one."""
    from studio.workbench.local import LocalWorkbench

    return LocalWorkbench(threads=1)


def _unpacked(job: Job, sent: tuple[Parcel, Parcel]) -> Job:
    assert job.data is not None
    model, data = (unpack(parcel, cache_dir() / "received") for parcel in sent)
    return replace(job, model=ModelRef(str(model), job.model.key), data=replace(job.data, path=str(data)))


def _connected(address: str) -> Client:
    if importlib.util.find_spec("distributed") is None:
        fix = "Install it with: pip install 'trimtab[cluster]'."
        raise WorkerError(f"cluster {address}", "Dask's distributed is not installed", fix)
    from distributed import Client

    try:
        client = Client(address, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        fix = "Start one with `dask scheduler` and `dask worker`, and give its address: tcp://HOST:8786."
        raise WorkerError(f"cluster {address}", "no scheduler answers there", fix) from error
    try:
        client.wait_for_workers(1, timeout=_ANSWER)
    except TimeoutError as error:
        client.close()
        fix = f"Start some: dask worker {address}"
        raise WorkerError(f"cluster {address}", "it has no workers", fix) from error
    return client
