"""What every data set offers, and the samples that ranges are found on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from studio.data.reference import DataFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray

CALIBRATION_BATCH = 32
Arrays = dict[str, "NDArray[np.generic]"]


class Dataset(ABC):
    """Samples read lazily by index. `facts` may cross to another process, the samples stay.

    `fixed_batch` is the batch size that the model insists on, 0 where it takes any.
    """

    def __init__(self, facts: DataFacts, fixed_batch: int) -> None:
        self.facts = facts
        self.fixed_batch = fixed_batch

    def __len__(self) -> int:
        return self.facts.n

    @abstractmethod
    def inputs(self, start: int, stop: int) -> Arrays:
        """Samples start..stop as contiguous arrays (N, …) keyed by model input; raises `DataError`."""

    @abstractmethod
    def labels(self, start: int, stop: int) -> NDArray[np.generic] | None:
        """int64 (N,) classes, int64 (N, …) masks or tokens, float (N, …) targets; None without labels."""

    @abstractmethod
    def origin(self, index: int) -> str:
        """Where sample `index` comes from: a picture's path, or its row in the file."""

    @abstractmethod
    def _calibration_inputs(self, start: int, stop: int) -> Arrays:
        """Like `inputs`, over the separate calibration samples."""

    def calibration(self, samples: int) -> Iterator[Arrays]:
        """Up to `samples` calibration samples in batches that the model takes.

        Separate ones where the data has them; else spread evenly over the set. Labels are not used.
        """
        step = self.fixed_batch or CALIBRATION_BATCH
        if self.facts.calibration_separate:
            count = self.facts.calibration_n
            for start, stop in _ranges(min(samples, count), step, whole=bool(self.fixed_batch)):
                yield self._calibration_inputs(start, stop)
            return
        chosen = spread(len(self), samples)
        for start, stop in _ranges(len(chosen), step, whole=bool(self.fixed_batch)):
            yield self._gather(chosen[start:stop])

    def calibration_key(self, samples: int) -> str:
        """Digest of the samples that `calibration(samples)` gives and of their order."""
        shared = ":shared" if self.facts.ref.shared else ""
        count = min(samples, self.facts.calibration_n)
        return sha256(f"{self.facts.key}:{count}{shared}".encode()).hexdigest()

    def _gather(self, indices: list[int]) -> Arrays:
        parts = [self.inputs(index, index + 1) for index in indices]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class CalibrationSamples:
    """The first so many calibration samples of a data set, with a key of their content."""

    def __init__(self, dataset: Dataset, samples: int) -> None:
        self.key = dataset.calibration_key(samples)
        self._dataset, self._samples = dataset, samples

    def batches(self) -> Iterator[Arrays]:
        """Batches of model inputs, each array (N, …) in the dtype that the model takes."""
        return self._dataset.calibration(self._samples)


def spread(total: int, wanted: int) -> list[int]:
    """Up to `wanted` different indices below `total`, evenly spaced, the first and the last among them."""
    count = min(total, wanted)
    if count <= 1:
        return list(range(count))
    return [index * (total - 1) // (count - 1) for index in range(count)]


def shuffled(count: int) -> NDArray[np.int64]:
    """The same permutation of 0..count on every machine (numpy keeps this generator's stream frozen)."""
    return np.random.RandomState(0).permutation(count).astype(np.int64)


def _ranges(count: int, step: int, whole: bool) -> Iterator[tuple[int, int]]:
    """Ranges of `step`; the rest is left out where the model only takes `whole` batches."""
    for start in range(0, count, step):
        stop = min(start + step, count)
        if not whole or stop - start == step:
            yield start, stop
