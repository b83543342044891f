"""The artifact held against the original on the same samples, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from studio.control import Control
from studio.data.samples import Arrays, Dataset
from studio.errors import MeasureError
from studio.measure.choose import metric_for
from studio.measure.live import Inputs, RangeRunner, Whole
from studio.measure.outputs import OutputCache
from studio.measure.sessions import Outputs, Runner, SessionSource, open_runner
from studio.measure.tasks import TOP1
from studio.metrics import Comparison
from studio.stages import Metric

FIRST_BATCH = 32
SMALLEST_FIRST = 8
FIRST_BYTES = 4 << 20
LARGEST_BATCH = 256
BATCH_BYTES = 32 << 20
Emit = Callable[[Comparison], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to run: `limit` samples (0: all), with `threads`.

    `tight` > 0 stops once the paired interval reaches no further than so many points to either side
    (its coverage is nominal then: it was looked at after every batch).
    """

    limit: int = 0
    threads: int = 1
    tight: float = 0.0


def compare(
    original: SessionSource,
    optimized: SessionSource,
    dataset: Dataset,
    control: Control,
    emit: Emit,
    effort: Effort = Effort(),
    cache: OutputCache | None = None,
    runner: RangeRunner | None = None,
) -> Comparison:
    """Run both files on the first samples of `dataset` and return the comparison over them.

    `emit` gets a comparison after every batch, a small one first. What the original gave is taken
    from `cache` where it is there; `runner` runs `optimized`, or else the whole file is run. Samples
    are read only where one of them needs them. Raises `MeasureError`, `DataError` and, between
    batches, `Cancelled`.
    """
    first = Original(original, dataset, cache, effort.threads)
    second = runner or Whole(optimized, effort.threads)
    total = sample_count(dataset, effort.limit)
    metric: Metric | None = None
    for start, stop in batches(dataset, total):
        control.check()
        inputs = Reading(dataset, start, stop)
        labels = dataset.labels(start, stop)
        before = first.outputs(start, stop, inputs)
        metric = metric or metric_for(before, labels, original.label)
        metric.add(before, _same_shape(second.run(start, stop, inputs), before, optimized.label), labels)
        found = metric.comparison(stop == total)
        if _tight(found, effort.tight):
            found = metric.comparison(True)
        emit(found)
        control.step(stop / total, f"{stop:,} of {total:,} samples")
        if found.difference.final:
            return found
    raise MeasureError(str(dataset.facts.ref.path), "it holds no samples", "Choose another data set.")


def evaluate(
    source: SessionSource,
    dataset: Dataset,
    control: Control,
    emit: Emit = lambda _: None,
    effort: Effort = Effort(),
    cache: OutputCache | None = None,
) -> Comparison:
    """One model against the labels, as a comparison with itself; `emit` gets it after every batch.

    Raises `MeasureError` where the data has no labels.
    """
    if not dataset.facts.labelled:
        cause = f"{TOP1} needs labels, the data set has none"
        raise MeasureError(
            source.label, cause, "Add y to the data, or hold two models together with compare."
        )
    model = Original(source, dataset, cache, effort.threads)
    total = sample_count(dataset, effort.limit)
    metric: Metric | None = None
    for start, stop in batches(dataset, total):
        control.check()
        outputs = model.outputs(start, stop, Reading(dataset, start, stop))
        labels = dataset.labels(start, stop)
        metric = metric or metric_for(outputs, labels, source.label)
        metric.add(outputs, outputs, labels)
        found = metric.comparison(stop == total)
        emit(found)
        control.step(stop / total, f"{stop:,} of {total:,} samples")
    assert metric is not None  # a data set holds at least one sample
    return found


def batches(dataset: Dataset, total: int) -> Iterator[tuple[int, int]]:
    """Ranges over `total` samples: 32 first (8 of large ones), then doubling up to 256 or 32 MiB of inputs.

    They depend on nothing else, so that another run over the same data finds the same ranges kept.
    """
    bytes_each = max(_sample_bytes(dataset), 1)
    most = min(LARGEST_BATCH, max(1, BATCH_BYTES // bytes_each))
    start, size = 0, min(FIRST_BATCH, most, max(SMALLEST_FIRST, FIRST_BYTES // bytes_each))
    while start < total:
        stop = min(start + size, total)
        yield start, stop
        start, size = stop, min(size * 2, most)


class Reading:
    """The inputs of a range of samples, read when first asked for."""

    def __init__(self, dataset: Dataset, start: int, stop: int) -> None:
        self._dataset, self._range = dataset, (start, stop)
        self._read: Arrays | None = None

    def __call__(self) -> Arrays:
        if self._read is None:
            self._read = self._dataset.inputs(*self._range)
        return self._read


class Original:
    """Outputs of one model, from the cache or from a session opened when first needed."""

    def __init__(
        self, source: SessionSource, dataset: Dataset, cache: OutputCache | None, threads: int
    ) -> None:
        self._source, self._threads = source, threads
        self._data = dataset.facts.key
        self._cache = cache if cache is not None else OutputCache(0)
        self._runner: Runner | None = None

    def outputs(self, start: int, stop: int, inputs: Inputs) -> Outputs:
        key = (self._source.key, self._source.way, self._data, start, stop)
        found = self._cache.get(key)
        if found is None:
            self._runner = self._runner or open_runner(self._source, self._threads)
            found = self._runner.run(inputs())
            self._cache.put(key, found)
        return found


def sample_count(dataset: Dataset, limit: int) -> int:
    """How many samples to run: all, or the first `limit`."""
    return min(limit, len(dataset)) if limit else len(dataset)


def _tight(found: Comparison, points: float) -> bool:
    figure = found.difference
    if points <= 0 or figure.low is None or figure.high is None:
        return False
    return max(figure.high - figure.value, figure.value - figure.low) <= points


def _same_shape(found: Outputs, wanted: Outputs, label: str) -> Outputs:
    if not found or not wanted or found[0].shape != wanted[0].shape:
        shapes = f"{found[0].shape if found else None} against {wanted[0].shape if wanted else None}"
        raise MeasureError(
            label,
            f"its first output differs in shape from the original's ({shapes})",
            "Compare a model with files that were made from it.",
        )
    return found


def _sample_bytes(dataset: Dataset) -> int:
    return sum(array.nbytes for array in dataset.inputs(0, 1).values())
