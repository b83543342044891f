"""Text: how well the next token is foreseen."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

import numpy as np

from studio.errors import DataError
from studio.measure.sessions import Outputs
from studio.measure.statistics import Interval, mean_interval
from studio.measure.tasks import Distortion, figure
from studio.metrics import Comparison

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERPLEXITY = "perplexity"
_MOST = 700.0  # exp beyond is no number


class Perplexity:
    """e to the mean surprise of the tokens, from logits (N, T, V). Negative labels are left out.

    The difference is the relative change in %, below 0 where the optimized model foresees less; its interval
    comes from the paired difference in surprise per sample (Student's t over samples of equal weight).
    """

    name = PERPLEXITY

    def __init__(self) -> None:
        self._surprise: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
        self._distortion = Distortion()

    def add(self, original: Outputs, optimized: Outputs, labels: NDArray[np.generic] | None) -> None:
        """Take one batch of both models' logits and the int (N, T) tokens that came next."""
        assert labels is not None
        for kept, outputs in zip(self._surprise, (original, optimized), strict=True):
            kept.append(_surprise(outputs[0].astype(np.float64), labels.astype(np.int64)))
        self._distortion.add(original[0], optimized[0])

    def comparison(self, final: bool) -> Comparison:
        """The comparison over everything added so far."""
        before, after = (np.concatenate(kept) for kept in self._surprise)
        change = mean_interval(before - after)
        return Comparison(
            metric=self.name,
            original=figure(_raised(mean_interval(before)), "", len(before), final),
            optimized=figure(_raised(mean_interval(after)), "", len(after), final),
            difference=figure(
                Interval(*(100 * (1 - _e(-each)) for each in (change.value, change.low, change.high))),
                "%",
                len(before),
                final,
            ),
            flips=(),
            sqnr_db=self._distortion.sqnr_db,
        )


def _surprise(logits: NDArray[np.float64], tokens: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean negative log-likelihood in nats of each sample's tokens: (N,)."""
    if tokens.size and int(tokens.max()) >= logits.shape[2]:
        cause = f"token {int(tokens.max())} is out of range: the model knows {logits.shape[2]}"
        raise DataError("labels", cause, "Save the tokens of the model's own tokenizer.")
    top = logits.max(axis=2)
    whole = np.log(np.exp(logits - top[..., None]).sum(axis=2)) + top
    counted = tokens >= 0
    own = np.take_along_axis(logits, np.maximum(tokens, 0)[..., None], axis=2)[..., 0]
    losses = np.where(counted, whole - own, 0.0).sum(axis=1)
    return np.asarray(losses / np.maximum(counted.sum(axis=1), 1))


def _raised(surprise: Interval) -> Interval:
    return Interval(_e(surprise.value), _e(surprise.low), _e(surprise.high))


def _e(power: float) -> float:
    return exp(min(max(power, -_MOST), _MOST))
