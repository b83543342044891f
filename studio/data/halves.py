"""Every other sample of a data set: one half decides, the other judges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from studio.data.samples import Arrays, Dataset
from studio.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Half(Dataset):
    """The samples first, first + 2, … of `whole`, with `first` 0 or 1. Calibration samples stay the whole's.

    Neighbours are told apart rather than front from back, because folders come class by class.
    """

    def __init__(self, whole: Dataset, first: int) -> None:
        n = (len(whole) + 1 - first) // 2
        if n < max(whole.fixed_batch, 1):
            cause = f"{len(whole)} samples are too few to choose on one half and judge on the other"
            raise DataError(whole.facts.ref.path, cause, "Add samples, or leave --holdout out.")
        super().__init__(replace(whole.facts, n=n, key=f"{whole.facts.key}:{first}/2"), whole.fixed_batch)
        self._whole, self._first = whole, first

    def inputs(self, start: int, stop: int) -> Arrays:
        return {name: np.ascontiguousarray(array[::2]) for name, array in self._both(start, stop).items()}

    def labels(self, start: int, stop: int) -> NDArray[np.generic] | None:
        found = self._whole.labels(*self._range(start, stop))
        return None if found is None else found[::2]

    def origin(self, index: int) -> str:
        return self._whole.origin(self.number(index))

    def calibration(self, samples: int) -> Iterator[Arrays]:
        return self._whole.calibration(samples)

    def calibration_key(self, samples: int) -> str:
        return self._whole.calibration_key(samples)

    def number(self, index: int) -> int:
        """The number that sample `index` has in the whole."""
        return 2 * index + self._first

    def _calibration_inputs(self, start: int, stop: int) -> Arrays:
        return self._whole._calibration_inputs(start, stop)

    def _both(self, start: int, stop: int) -> Arrays:
        return self._whole.inputs(*self._range(start, stop))

    def _range(self, start: int, stop: int) -> tuple[int, int]:
        return self.number(start), min(self.number(min(stop, len(self))), len(self._whole))
