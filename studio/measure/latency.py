"""Times per inference at batch 1, of one file or of two in turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from studio.control import Control
from studio.errors import MeasureError
from studio.measure.memory import peak_memory
from studio.measure.sessions import Runner, open_session
from studio.measure.statistics import median_interval
from studio.metrics import HERE, Figure, Latency, LatencyPair

if TYPE_CHECKING:
    from numpy.typing import NDArray

Inputs = Mapping[str, "NDArray[np.generic]"]
BUSY = 0.5


@dataclass(frozen=True, slots=True)
class Timing:
    """`runs` timed inferences after `warm_up` untimed ones, but no longer than `seconds` (0: no end).

    `memory` tells the peak too, which takes a process of its own (about half a second).
    """

    threads: int = 1
    runs: int = 200
    warm_up: int = 10
    seconds: float = 5.0
    memory: bool = True


@dataclass(slots=True)
class _Opened:
    run: Callable[[], object]
    feed: dict[str, NDArray[np.generic]]
    load_ms: float
    first_ms: float
    peak_bytes: int = 0


def latency(path: str, inputs: Inputs, timing: Timing = Timing(), control: Control | None = None) -> Latency:
    """Percentiles in ms of `path` on the first sample of `inputs`, on this computer.

    `load_ms` is opening the session, `first_ms` the first run, `peak_bytes` the peak of a process
    that does nothing else (0: unknown). `invalid` says so where other work kept the processor busy.
    Raises `MeasureError`.
    """
    control = control or Control()
    opened = _open(path, inputs, timing)
    load = _Load()
    times = _timed([opened.run], timing, control.part(0, 0.8))[0]
    invalid = load.complaint(timing.threads)
    if timing.memory:
        control.step(0.8, "measuring memory")
        opened.peak_bytes = peak_memory(path, opened.feed, timing.threads)
    control.step(1.0, "timed")
    return _latency(times, opened, timing, invalid)


def latency_pair(
    original: str,
    optimized: str,
    inputs: Inputs,
    timing: Timing = Timing(),
    control: Control | None = None,
) -> LatencyPair:
    """Time two files in turns, so that what disturbs one disturbs the other.

    The ratio is the median over turns of optimized ÷ original, with its distribution-free interval.
    `peak_bytes` stays 0: memory is told by `latency`.
    """
    control = control or Control()
    files = [_open(path, inputs, timing) for path in (original, optimized)]
    load = _Load()
    first, second = _timed([each.run for each in files], timing, control)
    invalid = load.complaint(timing.threads)
    ratio = median_interval(second / first)
    return LatencyPair(
        original=_latency(first, files[0], timing, invalid),
        optimized=_latency(second, files[1], timing, invalid),
        ratio=Figure(ratio.value, "", len(first), HERE, ratio.low, ratio.high),
    )


def _open(path: str, inputs: Inputs, timing: Timing) -> _Opened:
    name = Path(path).name
    start = perf_counter()
    runner = Runner(open_session(path, timing.threads, label=name), name)
    loaded = perf_counter()
    one = _first({key: inputs[key] for key in runner.inputs if key in inputs})
    if not one or any(array.size == 0 for array in one.values()):
        raise MeasureError(name, "there is no sample to time it on", "Attach a data set.")
    if runner.fixed_batch > 1:
        one = {key: array.repeat(runner.fixed_batch, axis=0) for key, array in one.items()}
    runner.run(one)
    first = perf_counter()
    return _Opened(lambda: runner.run(one), one, (loaded - start) * 1e3, (first - loaded) * 1e3)


def _first(inputs: Inputs) -> dict[str, NDArray[np.generic]]:
    """The first sample; inputs that hold none (a rate, a state) stay whole."""
    count = next((len(array) for array in inputs.values() if array.ndim), 0)
    return {
        name: np.ascontiguousarray(array[:1]) if array.ndim and len(array) == count else array
        for name, array in inputs.items()
    }


def _timed(runs: list[Callable[[], object]], timing: Timing, control: Control) -> list[NDArray[np.float64]]:
    """ms of each of `runs` in turns; every other turn goes backwards, so that none is always first."""
    for _ in range(timing.warm_up):
        for run in runs:
            run()
    taken: list[list[float]] = [[] for _ in runs]
    end = perf_counter() + timing.seconds if timing.seconds else float("inf")
    order = list(range(len(runs)))
    for turn in range(max(timing.runs, 1)):
        for index in order if turn % 2 == 0 else reversed(order):
            start = perf_counter()
            runs[index]()
            taken[index].append((perf_counter() - start) * 1e3)
        control.step((turn + 1) / timing.runs, f"{turn + 1} of {timing.runs} runs")
        if perf_counter() > end:
            break
    return [np.array(times) for times in taken]


def _latency(times: NDArray[np.float64], opened: _Opened, timing: Timing, invalid: str) -> Latency:
    p50, p90, p95, p99 = (float(value) for value in np.percentile(times, (50, 90, 95, 99)))
    return Latency(
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        runs=len(times),
        threads=timing.threads,
        source=HERE,
        load_ms=opened.load_ms,
        first_ms=opened.first_ms,
        peak_bytes=opened.peak_bytes,
        invalid=invalid,
    )


class _Load:
    """How much of the processor other work took since this was made."""

    def __init__(self) -> None:
        self._wall, self._others = perf_counter(), self._busy()

    def complaint(self, threads: int) -> str:
        """Why the times are not to be trusted; "" where nothing speaks against them."""
        import psutil

        wall = perf_counter() - self._wall
        cores = psutil.cpu_count() or 1
        spare = cores - threads
        busy = (self._busy() - self._others) / max(wall, 1e-3)
        if busy > max(spare, 0) + BUSY and wall > 0.05:
            return f"other work kept {busy:.1f} of {cores} cores busy meanwhile"
        return ""

    @staticmethod
    def _busy() -> float:
        """Processor seconds of everything but this process since the computer started."""
        import psutil

        whole, own = psutil.cpu_times(), psutil.Process().cpu_times()
        used = sum(whole) - whole.idle - getattr(whole, "iowait", 0.0) - getattr(whole, "guest", 0.0)
        return float(used - own.user - own.system)
