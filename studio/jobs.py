"""Lanes of background work: in a lane the newest wish wins; what it replaces is cancelled, never an error."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Condition

from studio.control import Cancelled, Control

Work = Callable[[Control], object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: with `value`, with `error` (a `StudioError`, or else a bug), or `cancelled`.

    A job that was replaced or cancelled has neither value nor error, even where it came to an end.
    """

    lane: str
    ticket: int
    label: str
    value: object = None
    error: BaseException | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a running job is; `fraction` is 0 to 1."""

    lane: str
    ticket: int
    label: str
    fraction: float
    text: str


def _ignore(advance: Advance) -> None:
    pass


class _Job:
    def __init__(self, lane: str, ticket: int, label: str, report: Callable[[Advance], None]) -> None:
        self.lane, self.ticket, self.label = lane, ticket, label
        self.control = Control(self._step)
        self._report = report

    def _step(self, fraction: float, text: str) -> None:
        self._report(Advance(self.lane, self.ticket, self.label, fraction, text))

    def outcome(self, future: Future[object]) -> Outcome:
        error = future.exception()
        if self.control.cancelled or isinstance(error, Cancelled):
            return Outcome(self.lane, self.ticket, self.label, cancelled=True)
        value = None if error is not None else future.result()
        return Outcome(self.lane, self.ticket, self.label, value, error)


class _Lane:
    """One thread that works off its jobs in order."""

    def __init__(self, name: str, deliver: Callable[[Outcome], None]) -> None:
        self._deliver = deliver
        self._lock = Condition()
        self._open: dict[Future[object], _Job] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"lane-{name}")

    def put(self, job: _Job, work: Work, replace: bool) -> None:
        if replace:
            self.cancel()
        with self._lock:
            future = self._pool.submit(self._run, job, work)
            self._open[future] = job
        future.add_done_callback(self._done)

    @staticmethod
    def _run(job: _Job, work: Work) -> object:
        job.control.check()
        return work(job.control)

    def _done(self, future: Future[object]) -> None:
        with self._lock:
            job = self._open[future]
        self._deliver(job.outcome(future))
        with self._lock:
            del self._open[future]
            self._lock.notify_all()

    def cancel(self, ticket: int | None = None) -> None:
        with self._lock:
            for job in self._open.values():
                if ticket in (None, job.ticket):
                    job.control.cancel()

    @property
    def busy(self) -> bool:
        with self._lock:
            return bool(self._open)

    def wait(self, seconds: float | None) -> bool:
        # Not the futures' own wait: that returns before the outcome is delivered.
        with self._lock:
            return self._lock.wait_for(lambda: not self._open, seconds)

    def close(self, seconds: float) -> bool:
        self.cancel()
        self._pool.shutdown(wait=False)
        return self.wait(seconds)


class Lanes:
    """Named lanes, a thread each. `deliver` and `progress` are called on the lane's thread.

    Every submitted job is delivered exactly once, in the order of its lane. `deliver` must not raise.
    """

    def __init__(
        self, deliver: Callable[[Outcome], None], progress: Callable[[Advance], None] = _ignore
    ) -> None:
        self._deliver, self._progress = deliver, progress
        self._lanes: dict[str, _Lane] = {}
        self._tickets = itertools.count(1)

    def submit(self, lane: str, work: Work, label: str = "", replace: bool = True) -> int:
        """Give `work` to `lane` and return its ticket.

        With `replace` everything earlier in that lane is cancelled; without, the job waits its turn.
        """
        job = _Job(lane, next(self._tickets), label or lane, self._progress)
        if lane not in self._lanes:
            self._lanes[lane] = _Lane(lane, self._deliver)
        self._lanes[lane].put(job, work, replace)
        return job.ticket

    def cancel(self, lane: str) -> None:
        """Cancel whatever `lane` runs or has waiting."""
        if lane in self._lanes:
            self._lanes[lane].cancel()

    def cancel_job(self, ticket: int) -> None:
        """Cancel this one job, waiting or running; others of its lane go on."""
        for lane in tuple(self._lanes.values()):
            lane.cancel(ticket)

    def busy(self, lane: str) -> bool:
        """Whether `lane` runs or has work waiting."""
        return lane in self._lanes and self._lanes[lane].busy

    def wait(self, lane: str, seconds: float | None = None) -> bool:
        """Wait until `lane` is idle and all is delivered; False where `seconds` ran out first."""
        return lane not in self._lanes or self._lanes[lane].wait(seconds)

    def close(self, seconds: float = 5.0) -> bool:
        """Cancel everything and end the threads; False where a job did not heed in time."""
        for lane in self._lanes.values():
            lane.cancel()
        heeded = [lane.close(seconds) for lane in self._lanes.values()]
        return all(heeded)
