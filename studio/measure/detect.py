"""Detection: mean average precision by the definition of the COCO challenge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.measure.sessions import Outputs
from studio.measure.tasks import Distortion
from studio.metrics import HERE, Comparison, Detail, Figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEAN_AP = "mAP"
FOUND, TRUE = 6, 5  # numbers of a box: corners, score, class; class, corners
_OVERLAPS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0, 1, 101)
_MOST = 100  # boxes of one class in one picture that count
_DRAWS = 100


@dataclass(frozen=True, slots=True)
class Boxes:
    """What was found in one picture, the surest first: int64 (D,) classes, float (D,) scores, and for
    each overlap whether a true box was met: bool (D, 10)."""

    classes: NDArray[np.int64]
    scores: NDArray[np.float64]
    met: NDArray[np.bool_]


class Detection:
    """Mean AP in % over classes that occur and overlaps 0.5, 0.55 … 0.95 (T.-Y. Lin et al., Microsoft COCO,
    2014: 101 recalls, 100 boxes a class and picture; no crowds, all sizes).

    The first output holds finished boxes, suppressed already: (N, K, 6) of x1, y1, x2, y2, score, class;
    scores of 0 fill up. Labels are float (N, M, 5) of class, x1, y1, x2, y2 in the same unit; class -1 fills
    up. Finished figures have intervals over pictures drawn anew (paired bootstrap, see `Segmentation`).
    """

    name = MEAN_AP

    def __init__(self) -> None:
        self._truth: list[NDArray[np.int64]] = []
        self._found: tuple[list[Boxes], list[Boxes]] = ([], [])
        self._distortion = Distortion()

    def add(self, original: Outputs, optimized: Outputs, labels: NDArray[np.generic] | None) -> None:
        """Take one batch of both models' boxes and the true ones."""
        assert labels is not None
        truths = [each[each[:, 0] >= 0] for each in labels.astype(np.float64)]
        self._truth += [each[:, 0].astype(np.int64) for each in truths]
        for kept, outputs in zip(self._found, (original, optimized), strict=True):
            pictures = outputs[0].astype(np.float64)
            kept += [_boxes(found, truth) for found, truth in zip(pictures, truths, strict=True)]
        self._distortion.add(original[0], optimized[0])

    def comparison(self, final: bool) -> Comparison:
        """The comparison over everything added so far."""
        n = len(self._truth)
        weights = np.ones((1, n))
        if final:
            draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), _DRAWS)
            weights = np.concatenate([weights, draws.astype(np.float64)])
        one, other = (precisions(found, self._truth, weights) for found in self._found)
        before, after = one.mean(axis=1), other.mean(axis=1)
        return Comparison(
            metric=self.name,
            original=_told(before, "%", n, final),
            optimized=_told(after, "%", n, final),
            difference=_told(after - before, "pp", n, final),
            flips=(),
            sqnr_db=self._distortion.sqnr_db,
            details=(Detail("AP at IoU 0.5", float(one[0, 0]), float(other[0, 0]), "%"),),
        )


def precisions(
    found: list[Boxes], truth: list[NDArray[np.int64]], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """AP in % at each overlap, mean over classes: (D, 10). `weights` (D, N): how often a picture counts."""
    pictures = np.repeat(np.arange(len(found)), [len(each.scores) for each in found])
    classes = np.concatenate([each.classes for each in found])
    scores = np.concatenate([each.scores for each in found])
    met = np.concatenate([each.met for each in found])
    every = np.unique(np.concatenate(truth))
    total, there = np.zeros((len(weights), len(_OVERLAPS))), np.zeros(len(weights))
    for each in every:
        wanted = weights @ np.asarray([(one == each).sum() for one in truth], np.float64)
        mine = np.flatnonzero(classes == each)
        mine = mine[np.argsort(-scores[mine], kind="stable")]
        counts = weights[:, pictures[mine]]
        total += _class(counts, met[mine], wanted)
        there += wanted > 0
    return np.asarray(100 * total / np.maximum(there, 1)[:, None])


def _class(
    counts: NDArray[np.float64], met: NDArray[np.bool_], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """AP of one class: (D, 10) from how often each box counts (D, B), what it met, and true boxes (D,)."""
    result = np.zeros((len(counts), met.shape[1]))
    seen = np.maximum(np.cumsum(counts, axis=1), 1)
    for column in range(met.shape[1]):
        hits = np.cumsum(counts * met[:, column], axis=1)
        recalls = hits / np.maximum(wanted, 1)[:, None]
        best = np.maximum.accumulate((hits / seen)[:, ::-1], axis=1)[:, ::-1]
        for row in range(len(counts)):
            places = np.searchsorted(recalls[row], _RECALLS)
            result[row, column] = np.append(best[row], 0.0)[places].mean()
    return result


def _boxes(found: NDArray[np.float64], truth: NDArray[np.float64]) -> Boxes:
    """Boxes of one picture, each held against the true ones of its class."""
    found = found[np.isfinite(found).all(axis=1) & (found[:, 4] > 0)]
    found = found[np.argsort(-found[:, 4], kind="stable")]
    classes = found[:, 5].round().astype(np.int64)
    met = np.zeros((len(found), len(_OVERLAPS)), bool)
    counted = np.zeros(len(found), bool)
    for each in np.unique(classes):
        mine = np.flatnonzero(classes == each)[:_MOST]
        counted[mine] = True
        overlaps = _overlaps(found[mine, :4], truth[truth[:, 0] == each, 1:])
        met[mine] = np.stack([_met(overlaps, least) for least in _OVERLAPS], axis=1)
    return Boxes(classes[counted], found[counted, 4], met[counted])


def _met(overlaps: NDArray[np.float64], least: float) -> NDArray[np.bool_]:
    """Whether each box (surest first) meets a true one that none before it met: (B,) from (B, T)."""
    free = np.ones(overlaps.shape[1], bool)
    met = np.zeros(len(overlaps), bool)
    for row, each in enumerate(overlaps):
        open_ones = np.where(free & (each >= least), each, -1.0)
        if open_ones.size and open_ones.max() >= 0:
            met[row] = True
            free[open_ones.argmax()] = False
    return met


def _overlaps(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of boxes (B, 4) and (T, 4) of corners: (B, T)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    both = np.maximum(high - low, 0).prod(axis=2)
    areas = [np.maximum(each[:, 2:] - each[:, :2], 0).prod(axis=1) for each in (one, other)]
    union = areas[0][:, None] + areas[1][None] - both
    return np.asarray(np.divide(both, union, out=np.zeros_like(both), where=union > 0))


def _told(values: NDArray[np.float64], unit: str, n: int, final: bool) -> Figure:
    """The first value, with the percentiles of the draws behind it, where there are any."""
    value = float(values[0])
    if len(values) == 1:
        return Figure(value, unit, n, HERE, final=final)
    low, high = np.percentile(values[1:], (2.5, 97.5))
    return Figure(value, unit, n, HERE, min(float(low), value), max(float(high), value), final)
