"""What an answer is worth: top-1 with labels, agreement with the original without, match otherwise."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING

import numpy as np

from studio.errors import DataError
from studio.measure.sessions import Outputs
from studio.measure.statistics import Interval, Pairs, mean_interval, paired_difference, wilson
from studio.metrics import HERE, Comparison, Detail, Figure, Flip

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_FLIPS = 2000
TOP1, AGREEMENT, MATCH = "top-1", "agreement", "output match"


class Distortion:
    """Signal to noise ratio of the first output, over all samples so far."""

    def __init__(self) -> None:
        self._signal = self._noise = 0.0

    def add(self, original: NDArray[np.generic], optimized: NDArray[np.generic]) -> None:
        """Take one batch of both outputs, of equal shape."""
        wanted = original.astype(np.float64)
        self._signal += float(np.square(wanted).sum())
        self._noise += float(np.square(optimized.astype(np.float64) - wanted).sum())

    @property
    def sqnr_db(self) -> float | None:
        """10 log10(signal / noise) in dB; None where either is zero or not a number."""
        ratio = self._signal / self._noise if self._noise > 0 else 0.0
        return 10 * log10(ratio) if 0 < ratio < float("inf") else None


class Classification:
    """Top-1 with labels; without labels agreement, for which the original is right by definition."""

    def __init__(self, labelled: bool) -> None:
        self.name = TOP1 if labelled else AGREEMENT
        self._labelled = labelled
        self._pairs, self._flips, self._flipped = Pairs(), list[Flip](), 0
        self._distortion, self._divergence = Distortion(), 0.0

    def add(self, original: Outputs, optimized: Outputs, labels: NDArray[np.generic] | None) -> None:
        """Take one batch of both models' outputs, the first (N, C) scores, and int64 (N,) labels."""
        before, after = answers(original[0]), answers(optimized[0])
        truth = before if labels is None else labels.astype(np.int64)
        if labels is not None:
            _check_labels(truth, original[0])
        self._note_flips(before, after, None if labels is None else truth)
        self._pairs = self._pairs.plus(_pairs(before == truth, (after == truth) & (after >= 0)))
        self._distortion.add(original[0], optimized[0])
        self._divergence += float(divergences(original[0], optimized[0]).sum())

    def comparison(self, final: bool) -> Comparison:
        """The comparison over everything added so far; at least one batch must have been."""
        pairs, n = self._pairs, self._pairs.n
        after = wilson(pairs.second, n).scaled(100)
        if self._labelled:
            before = wilson(pairs.first, n).scaled(100)
            change = paired_difference(pairs).scaled(100)
        else:
            before = Interval(100.0, 100.0, 100.0)
            change = Interval(after.value - 100, after.low - 100, after.high - 100)
        return Comparison(
            metric=self.name,
            original=figure(before, "%", n, final),
            optimized=figure(after, "%", n, final),
            difference=figure(change, "pp", n, final),
            flips=tuple(self._flips),
            flip_count=self._flipped,
            sqnr_db=self._distortion.sqnr_db,
            details=(Detail("KL divergence", None, self._divergence / n, "nats"),),
        )

    def _note_flips(
        self, before: NDArray[np.int64], after: NDArray[np.int64], truth: NDArray[np.int64] | None
    ) -> None:
        changed = np.flatnonzero(before != after)
        self._flipped += len(changed)
        for index in changed[: MAX_FLIPS - len(self._flips)].tolist():
            label = None if truth is None else int(truth[index])
            self._flips.append(Flip(self._pairs.n + index, int(before[index]), int(after[index]), label))


class Match:
    """For outputs that are no class scores: 100 % minus the relative error of each sample, at least 0.

    The error is the root of the squared difference over that of the squared original (both over
    the whole first output of the sample); the original is 100 % by definition.
    """

    name = MATCH

    def __init__(self) -> None:
        self._values: list[float] = []
        self._distortion = Distortion()

    def add(self, original: Outputs, optimized: Outputs, labels: NDArray[np.generic] | None) -> None:
        """Take one batch of both models' outputs; labels are not used."""
        wanted = original[0].reshape(len(original[0]), -1).astype(np.float64)
        given = optimized[0].reshape(len(wanted), -1).astype(np.float64)
        size = np.maximum(np.linalg.norm(wanted, axis=1), np.finfo(np.float32).tiny)
        error = np.nan_to_num(np.linalg.norm(given - wanted, axis=1) / size, nan=1.0, posinf=1.0)
        self._values.extend((100 * np.clip(1 - error, 0, 1)).tolist())
        self._distortion.add(original[0], optimized[0])

    def comparison(self, final: bool) -> Comparison:
        """The comparison over everything added so far."""
        n, mean = len(self._values), mean_interval(self._values)
        after = Interval(mean.value, max(mean.low, 0.0), min(mean.high, 100.0))
        change = Interval(after.value - 100, after.low - 100, after.high - 100)
        return Comparison(
            metric=self.name,
            original=figure(Interval(100.0, 100.0, 100.0), "%", n, final),
            optimized=figure(after, "%", n, final),
            difference=figure(change, "pp", n, final),
            flips=(),
            sqnr_db=self._distortion.sqnr_db,
        )


def is_scores(output: NDArray[np.generic]) -> bool:
    """Whether (N, C, 1, …) looks like scores of C ≥ 2 classes."""
    return output.ndim >= 2 and output.shape[1] >= 2 and all(size == 1 for size in output.shape[2:])


def divergences(original: NDArray[np.generic], optimized: NDArray[np.generic]) -> NDArray[np.float64]:
    """Kullback-Leibler divergence in nats of each sample's class shares from the original's: (N,).

    Outputs that already are shares are taken as they are, others as logits; what is not finite counts 0.
    """
    first, second = (log_shares(each.reshape(len(each), -1)) for each in (original, optimized))
    parts = np.exp(first) * (first - second)
    return np.asarray(np.maximum(np.nan_to_num(parts, posinf=0.0, neginf=0.0).sum(axis=1), 0.0))


def log_shares(raw: NDArray[np.generic]) -> NDArray[np.float64]:
    """Natural logarithms of class shares (N, C); outputs that are no shares are taken as logits."""
    scores = raw.astype(np.float64)
    if scores.size and scores.min() >= 0 and np.allclose(scores.sum(axis=1), 1, atol=1e-2):
        return np.asarray(np.log(np.maximum(scores, np.finfo(np.float32).tiny)))
    with np.errstate(invalid="ignore", over="ignore"):
        below = scores - scores.max(axis=1, keepdims=True)
        return np.asarray(below - np.log(np.exp(below).sum(axis=1, keepdims=True)))


def answers(output: NDArray[np.generic]) -> NDArray[np.int64]:
    """int64 (N,) class of the largest score, the lowest among equals; -1 where a score is not finite."""
    scores = output.reshape(len(output), -1)
    best = scores.argmax(axis=1).astype(np.int64)
    return np.where(np.isfinite(scores).all(axis=1), best, -1)


def figure(interval: Interval, unit: str, n: int, final: bool) -> Figure:
    """An interval as a figure measured here."""
    return Figure(interval.value, unit, n, HERE, interval.low, interval.high, final)


def _pairs(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Pairs:
    return Pairs(
        both=int((first & second).sum()),
        first_only=int((first & ~second).sum()),
        second_only=int((~first & second).sum()),
        neither=int((~first & ~second).sum()),
    )


def _check_labels(labels: NDArray[np.int64], output: NDArray[np.generic]) -> None:
    classes = output.shape[1]
    if labels.size and int(labels.max()) >= classes:
        cause = f"label {int(labels.max())} is out of range: the model tells {classes} classes apart"
        raise DataError("labels", cause, "Number the classes from 0, in the order of the training.")
