"""Segmentation: intersection over union, the mean over classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.errors import DataError
from studio.measure.sessions import Outputs
from studio.measure.statistics import Interval
from studio.measure.tasks import Distortion, figure
from studio.metrics import Comparison

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEAN_IOU = "mean IoU"
IGNORED = 255  # the mark of pixels that count for nobody, as in Pascal VOC and Cityscapes
_DRAWS = 200


class Segmentation:
    """Mean IoU in % over the classes that occur, from scores (N, C, H, W) or, `last`, (N, H, W, C).

    Intervals are percentiles over pictures drawn anew (paired bootstrap: B. Efron, Annals of Statistics
    7, 1979), with a fixed seed: the same samples give the same interval.
    """

    name = MEAN_IOU

    def __init__(self, last: bool) -> None:
        self._last = last
        self._kept: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
        self._distortion = Distortion()

    def add(self, original: Outputs, optimized: Outputs, labels: NDArray[np.generic] | None) -> None:
        """Take one batch of both models' scores and int (N, H, W) classes; 255 and negatives do not count."""
        assert labels is not None
        axis = -1 if self._last else 1
        for kept, outputs in zip(self._kept, (original, optimized), strict=True):
            classes = outputs[0].shape[axis]
            kept.append(_counts(outputs[0].argmax(axis=axis), labels.astype(np.int64), classes))
        self._distortion.add(original[0], optimized[0])

    def comparison(self, final: bool) -> Comparison:
        """The comparison over everything added so far."""
        before, after = (np.concatenate(kept) for kept in self._kept)
        n = len(before)
        draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), _DRAWS).astype(np.float64)
        one, other = (_iou(np.tensordot(draws, each, 1)) for each in (before, after))
        values = [float(_iou(each.sum(axis=0)[None])[0]) for each in (before, after)]
        return Comparison(
            metric=self.name,
            original=figure(_spread(values[0], one), "%", n, final),
            optimized=figure(_spread(values[1], other), "%", n, final),
            difference=figure(_spread(values[1] - values[0], other - one), "pp", n, final),
            flips=(),
            sqnr_db=self._distortion.sqnr_db,
        )


def _counts(found: NDArray[np.int64], truth: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """(N, 3, C): of each class and picture, pixels found and true, pixels found, pixels true."""
    counted = (truth != IGNORED) & (truth >= 0)
    if truth[counted].size and int(truth[counted].max()) >= classes:
        cause = f"label {int(truth[counted].max())} is out of range: the model tells {classes} classes apart"
        raise DataError("labels", cause, "Number the classes from 0; 255 or -1 marks pixels to leave out.")
    each = [
        [np.bincount(part, minlength=classes) for part in (one[(one == true) & use], one[use], true[use])]
        for one, true, use in zip(found, truth, counted, strict=True)
    ]
    return np.asarray(each, np.float64)


def _iou(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean IoU in % of (D, 3, C) counts, over the classes with any pixel: (D,)."""
    both, union = counts[:, 0], counts[:, 1] + counts[:, 2] - counts[:, 0]
    there = union > 0
    shares = np.divide(both, union, out=np.zeros_like(both), where=there)
    return np.asarray(100 * shares.sum(axis=1) / np.maximum(there.sum(axis=1), 1))


def _spread(value: float, draws: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(draws, (2.5, 97.5))
    return Interval(value, min(float(low), value), max(float(high), value))
