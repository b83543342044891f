"""Candidates built and measured by the workers of a Dask cluster, with the results of this computer."""

from __future__ import annotations

import importlib.util
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import TYPE_CHECKING

from studio.control import Control
from studio.errors import DataError, ModelError, WorkerError
from studio.paths import cache_dir
from studio.search.budgets import Wish
from studio.search.front import Visited
from studio.workbench.api import Job, ModelRef
from studio.workbench.parcels import Parcel, pack, unpack

if TYPE_CHECKING:
    from distributed import Client, Future

    from studio.workbench.local import LocalWorkbench

_ANSWER, _TICK, _TRIES = 15.0, 0.02, 4


@dataclass(frozen=True, slots=True)
class Files:
    """The files that every candidate needs, with their content keys; those `beside` belong to the model."""

    model: Path
    model_key: str
    beside: tuple[Path, ...]
    data: Path
    data_key: str


class Crew:
    """The workers at `address` for one search. Raises `WorkerError` where nobody answers there.

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
        """All at once, given in order. Raises `WorkerError`, and what building and measuring raise there."""
        futures = [self._submit(job, wish) for job, _ in jobs]
        try:
            for future, (job, control) in zip(futures, jobs, strict=True):
                yield self._collected(future, job, wish, control)
        finally:
            self._client.cancel(futures, force=True)

    def _submit(self, job: Job, wish: Wish) -> Future[Visited | None]:
        key = self._files.data_key
        future: Future[Visited | None] = self._client.submit(visit, job, wish, key, self._parcels, pure=False)
        return future

    def _collected(self, future: Future[Visited | None], job: Job, wish: Wish, control: Control) -> Visited:
        """The result; where a worker lacks the files, or what was sent went with a worker, sent again."""
        from distributed.client import FutureCancelledError

        for _ in range(_TRIES):
            try:
                seen = self._result(future, control)
            except FutureCancelledError:
                seen, self._parcels = None, None
            if seen is not None:
                return seen
            self._send()
            future = self._submit(job, wish)
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

    def _result(self, future: Future[Visited | None], control: Control) -> Visited | None:
        from distributed.scheduler import KilledWorker

        while not future.done():
            control.check()
            if self._client.status != "running":
                raise self._failed("the connection was lost")
            sleep(_TICK)
        try:
            seen: Visited | None = future.result()
        except KilledWorker as error:
            raise self._failed("its workers died of this candidate, one after the other") from error
        except ModuleNotFoundError as error:
            raise self._failed(f"its workers have no {error.name}") from error
        return seen

    def _failed(self, cause: str) -> WorkerError:
        fix = "Mend it and search again: what was measured by now is kept."
        return WorkerError(f"cluster {self.address}", cause, fix)


def visit(job: Job, wish: Wish, data_key: str, sent: tuple[Parcel, Parcel] | None) -> Visited | None:
    """On a worker: build and measure, with the model and the data that were `sent`, else with those at the
    paths of `job`; None where other files lie there, or none.
    """
    bench = _bench()
    if sent is not None:
        job = _unpacked(job, sent)
    assert job.data is not None  # a search has samples
    try:
        facts = bench.attach(job.model, job.data, Control())
    except (ModelError, DataError):
        if sent is not None:
            raise
        return None
    return bench.visit(job, wish, Control()) if facts.key == data_key else None


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
