"""Whether the samples are prepared as for training: the usual other ways, tried on the original itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from studio.control import Control
from studio.data.samples import Arrays, Dataset
from studio.doctor.chance import chance, near_chance
from studio.doctor.findings import PREPROCESSING, Evidence, Finding, Fix
from studio.measure.accuracy import Original, Reading, batches
from studio.measure.choose import metric_for
from studio.measure.outputs import OutputCache
from studio.measure.sessions import SessionSource
from studio.measure.tasks import TOP1
from studio.metrics import Comparison

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as torchvision's models want it
_BOASTS = 25.0
Change = Callable[["NDArray[np.floating]"], "NDArray[np.floating]"]


def preparing(
    original: SessionSource,
    dataset: Dataset,
    found: Comparison,
    control: Control,
    cache: OutputCache,
    threads: int = 1,
) -> tuple[Finding | None, int]:
    """What is wrong with the original's accuracy, None where it is plausible; and how many ways were tried.

    It is implausible where it is near chance, or far below the confidence of the answers.
    """
    classes = dataset.facts.classes
    if found.metric != TOP1 or classes < 2:
        return None, 0
    accuracy = found.original
    sure = _confidence(Original(original, dataset, cache, threads), dataset)
    lost = near_chance(accuracy, classes)
    if not lost and sure - accuracy.value < _BOASTS:
        return None, 0
    evidence: tuple[Evidence, ...] = (
        Evidence("accuracy", accuracy.value, "%"),
        Evidence("chance", chance(classes), "%"),
        Evidence("confidence", sure, "%"),
    )
    ways = list(_ways(dataset))
    tried = []
    for at, (text, change) in enumerate(ways):
        other = Altered(dataset, text, change)
        tried.append((text, _held(original, dataset, other, cache, threads)))
        control.step((at + 1) / max(len(ways), 1), f"preparing the samples with {text}")
    text, best = max(tried, key=lambda each: each[1].difference.value, default=("", found))
    gain = best.difference
    if text and gain.low is not None and gain.low > 0:
        evidence = (*evidence, Evidence("alternative", best.optimized.value, "%"))
        return Finding(PREPROCESSING, (), evidence, Fix("preprocessing", text), gain), len(tried)
    return (Finding(PREPROCESSING, (), evidence, Fix("check"), None) if lost else None), len(tried)


class Altered(Dataset):
    """`whole` with `change` over each sample of floats; `name` tells its content from the whole's."""

    def __init__(self, whole: Dataset, name: str, change: Change) -> None:
        super().__init__(replace(whole.facts, key=f"{whole.facts.key}:{name}"), whole.fixed_batch)
        self._whole, self._change = whole, change

    def inputs(self, start: int, stop: int) -> Arrays:
        found = self._whole.inputs(start, stop)
        return {name: self._changed(array) for name, array in found.items()}

    def labels(self, start: int, stop: int) -> NDArray[np.generic] | None:
        return self._whole.labels(start, stop)

    def origin(self, index: int) -> str:
        return self._whole.origin(index)

    def _calibration_inputs(self, start: int, stop: int) -> Arrays:
        found = self._whole._calibration_inputs(start, stop)
        return {name: self._changed(array) for name, array in found.items()}

    def _changed(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        if not np.issubdtype(array.dtype, np.floating):
            return array
        return np.ascontiguousarray(self._change(np.asarray(array, np.float32)), array.dtype)


def _ways(dataset: Dataset) -> Iterator[tuple[str, Change]]:
    yield "x / 255", lambda x: x / 255
    yield "x · 255", lambda x: x * 255
    yield "x / 127.5 − 1", lambda x: x / 127.5 - 1
    yield "2 x − 1", lambda x: 2 * x - 1
    yield "(x + 1) / 2", lambda x: (x + 1) / 2
    shape = dataset.facts.sample_shape
    if len(shape) != 3 or 3 not in (shape[0], shape[-1]):
        return
    axis = 1 if shape[0] == 3 else -1
    wide = (1, 3, 1, 1) if axis == 1 else (1, 1, 1, 3)
    mean, std = (np.reshape(each, wide) for each in (_MEAN, _STD))
    yield "red and blue exchanged", lambda x: np.flip(x, axis)
    yield "ImageNet's mean and std", lambda x: (x - mean) / std
    yield "x / 255, then ImageNet's mean and std", lambda x: (x / 255 - mean) / std


def _held(
    source: SessionSource, dataset: Dataset, other: Dataset, cache: OutputCache, threads: int
) -> Comparison:
    """The original on the samples prepared otherwise, against itself on them as they are."""
    first, second = (Original(source, each, cache, threads) for each in (dataset, other))
    metric = None
    for start, stop in batches(dataset, len(dataset)):
        before = first.outputs(start, stop, Reading(dataset, start, stop))
        after = second.outputs(start, stop, Reading(other, start, stop))
        labels = dataset.labels(start, stop)
        metric = metric or metric_for(before, labels, source.label)
        metric.add(before, after, labels)
    assert metric is not None  # a data set holds at least one sample
    return metric.comparison(True)


def _confidence(model: Original, dataset: Dataset) -> float:
    """Mean share of the winning class in per cent; outputs that are no shares are taken as logits."""
    start, stop = next(iter(batches(dataset, len(dataset))))
    scores = model.outputs(start, stop, Reading(dataset, start, stop))[0].astype(np.float64)
    scores = scores.reshape(len(scores), -1)
    if scores.min() >= 0 and np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        return float(100 * scores.max(axis=1).mean())
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return float(100 * (1 / powers.sum(axis=1)).mean())
