"""Which metric suits a model's outputs and what is known of the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.errors import MeasureError
from studio.measure.detect import FOUND, TRUE, Detection
from studio.measure.fit import Regression
from studio.measure.language import Perplexity
from studio.measure.segments import Segmentation
from studio.measure.sessions import Outputs
from studio.measure.tasks import Classification, Match, is_scores
from studio.stages import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


def metric_for(outputs: Outputs, labels: NDArray[np.generic] | None, label: str) -> Metric:
    """The metric that suits a model with such `outputs`; `label` names it in messages.

    Without labels the original is right: agreement of class scores, else how well outputs match. Float labels
    are boxes (N, M, 5) where the model gives boxes (N, K, 6), else targets of a regression; whole numbers are
    classes, one a sample, a mask per picture, or tokens.
    Raises `MeasureError` where labels do not fit the first output.
    """
    first = outputs[0]
    if labels is None:
        return Classification(False) if is_scores(first) else Match()
    if labels.dtype.kind == "f":
        if labels.shape[2:] == (TRUE,) and first.shape[2:] == (FOUND,):
            return Detection()
        if labels.size * len(first) == first.size * len(labels):
            return Regression()
    elif labels.ndim == 1 and is_scores(first):
        return Classification(True)
    elif labels.ndim > 1 and first.ndim == labels.ndim + 1:
        return _dense(first, labels, label)
    raise _unfit(first, labels, label)


def _dense(output: NDArray[np.generic], labels: NDArray[np.generic], label: str) -> Metric:
    """One class for each place: tokens of a text, pixels of a picture."""
    last = output.shape[1:-1] == labels.shape[1:]
    if last and labels.ndim == 2:
        return Perplexity()
    if last or output.shape[2:] == labels.shape[1:]:
        return Segmentation(last and output.shape[2:] != labels.shape[1:])
    raise _unfit(output, labels, label)


def _unfit(output: NDArray[np.generic], labels: NDArray[np.generic], label: str) -> MeasureError:
    shape, other = (", ".join(("N", *map(str, each.shape[1:]))) for each in (output, labels))
    cause = f"its first output has shape ({shape}), no class scores for {labels.dtype} labels ({other})"
    fix = "Leave the labels out: outputs are then held against the original's."
    if labels.dtype.kind == "f":
        fix = "Save class numbers as integers, or one target for each number that the model gives."
    return MeasureError(label, cause, fix)
