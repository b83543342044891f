"""A first look at a data set: what the original answers to a few of its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.control import Control
from studio.data.samples import Arrays, Dataset
from studio.measure.sessions import Outputs, SessionSource, open_runner
from studio.measure.tasks import answers, is_scores, log_shares
from studio.metrics import Answer, SampleLook

if TYPE_CHECKING:
    from numpy.typing import NDArray


def look(
    source: SessionSource, dataset: Dataset, samples: tuple[int, ...], control: Control, threads: int = 1
) -> SampleLook:
    """Run `source` on one or more `samples`, one by one; raises `MeasureError`, `DataError`, `Cancelled`."""
    runner, found = open_runner(source, threads), list[Answer]()
    low, high = np.inf, -np.inf
    for place, sample in enumerate(samples):
        control.step(place / len(samples), "")
        inputs = dataset.inputs(sample, sample + 1)
        low, high = _wider(inputs, low, high)
        found.append(_answer(sample, runner.run(inputs), dataset.labels(sample, sample + 1)))
    return SampleLook(tuple(found), low, high)


def _answer(sample: int, outputs: Outputs, labels: NDArray[np.generic] | None) -> Answer:
    label = None
    if labels is not None and labels.ndim == 1 and labels.dtype.kind == "i":
        label = int(labels[0])
    if not is_scores(outputs[0]):
        return Answer(sample, None, None, label)
    share = float(100 * np.exp(log_shares(outputs[0].reshape(1, -1)).max()))
    return Answer(sample, int(answers(outputs[0])[0]), share, label)


def _wider(inputs: Arrays, low: float, high: float) -> tuple[float, float]:
    for array in inputs.values():
        low, high = min(low, float(array.min())), max(high, float(array.max()))
    return low, high
