"""Regression: how much of the targets' variance a model explains, with MAE and RMSE beside it."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from studio.errors import MeasureError
from studio.measure.sessions import Outputs
from studio.measure.statistics import Interval, mean_interval
from studio.measure.tasks import Distortion, figure
from studio.metrics import Comparison, Detail

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXPLAINED = "variance explained"


class Regression:
    """R² in %: 100 · (1 − squared error / variance of the targets), on the first output of each sample.
    Of several targets, the variance is that of each about its own mean, the mean over them.

    Intervals are those of the mean squared error (Student's t over samples), the variance taken as known;
    the difference is paired. Details are MAE and RMSE in the targets' own unit.
    """

    name = EXPLAINED

    def __init__(self) -> None:
        self._targets: list[NDArray[np.float64]] = []
        self._errors: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
        self._distortion = Distortion()

    def add(self, original: Outputs, optimized: Outputs, labels: NDArray[np.generic] | None) -> None:
        """Take one batch of both models' outputs, the first of as many numbers as `labels`."""
        assert labels is not None
        wanted = labels.reshape(len(labels), -1).astype(np.float64)
        self._targets.append(wanted)
        for kept, outputs in zip(self._errors, (original, optimized), strict=True):
            given = outputs[0].reshape(len(wanted), -1).astype(np.float64)
            if given.shape != wanted.shape:
                cause = f"it gives {given.shape[1]} numbers a sample, the labels hold {wanted.shape[1]}"
                raise MeasureError("labels", cause, "Save one target for each number that the model gives.")
            kept.append(given - wanted)
        self._distortion.add(original[0], optimized[0])

    def comparison(self, final: bool) -> Comparison:
        """The comparison over everything added so far."""
        targets, (before, after) = np.concatenate(self._targets), map(np.concatenate, self._errors)
        n, variance = len(targets), max(float(targets.var(axis=0).mean()), np.finfo(np.float64).tiny)
        one, other = (100 * np.square(error).mean(axis=1) / variance for error in (before, after))
        return Comparison(
            metric=self.name,
            original=figure(_turned(one, 100.0), "%", n, final),
            optimized=figure(_turned(other, 100.0), "%", n, final),
            difference=figure(_turned(other - one, 0.0), "pp", n, final),
            flips=(),
            sqnr_db=self._distortion.sqnr_db,
            details=(
                Detail("MAE", float(np.abs(before).mean()), float(np.abs(after).mean())),
                Detail("RMSE", sqrt(np.square(before).mean()), sqrt(np.square(after).mean())),
            ),
        )


def _turned(losses: NDArray[np.float64], best: float) -> Interval:
    """`best` minus the mean loss, with its interval the other way round."""
    mean = mean_interval(losses)
    return Interval(best - mean.value, best - mean.high, best - mean.low)
