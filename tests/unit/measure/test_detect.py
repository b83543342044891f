"""Average precision against cases counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from studio.measure.choose import metric_for
from studio.measure.detect import Detection

BOX, FAR, HALF = (0, 0, 10, 10), (50, 50, 60, 60), (0, 0, 10, 6)  # HALF overlaps BOX by 0.6
EMPTY = (0, 0, 0, 0, 0, 0)


def found(*boxes: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    """One picture of four places."""
    return (np.asarray([[*boxes, *[EMPTY] * (4 - len(boxes))]], np.float32),)


def truth(*boxes: tuple[float, ...]) -> np.ndarray:
    return np.asarray([[*boxes, *[(-1, 0, 0, 0, 0)] * (3 - len(boxes))]], np.float32)


PERFECT = found((*BOX, 0.9, 0), (*FAR, 0.8, 0))
BOTH = truth((0, *BOX), (0, *FAR))


def value(boxes: tuple[np.ndarray, ...], labels: np.ndarray) -> tuple[float, float]:
    """mAP, and AP at IoU 0.5."""
    metric = Detection()
    metric.add(PERFECT, boxes, labels)
    told = metric.comparison(False)
    assert told.details[0].name == "AP at IoU 0.5"
    return told.optimized.value, told.details[0].optimized


@pytest.mark.parametrize(
    ("boxes", "labels", "mean", "half"),
    [
        (PERFECT, BOTH, 100.0, 100.0),
        (found(), BOTH, 0.0, 0.0),
        # One of two: precision 1 up to recall 0.5, which is 51 of 101 recalls.
        (found((*BOX, 0.9, 0)), BOTH, 100 * 51 / 101, 100 * 51 / 101),
        # A surer wrong box: precision 1/2 at recall 1/2, then 2/3 at recall 1, which counts for all.
        (found((20, 20, 30, 30, 0.95, 0), (*BOX, 0.9, 0), (*FAR, 0.8, 0)), BOTH, 200 / 3, 200 / 3),
        # The same box twice: the second is wrong, but comes after all is found.
        (found((*BOX, 0.9, 0), (*FAR, 0.8, 0), (*BOX, 0.7, 0)), BOTH, 100.0, 100.0),
        # Overlap 0.6 is enough for 0.5, 0.55 and (as pairs of floats have it) 0.6: 3 of 10 overlaps.
        (found((*HALF, 0.9, 0)), truth((0, *BOX)), 30.0, 100.0),
        # The right place, the wrong class; the class that nobody labelled does not count.
        (found((*BOX, 0.9, 1)), truth((0, *BOX)), 0.0, 0.0),
        # Two classes, one found: the mean of both.
        (found((*BOX, 0.9, 0)), truth((0, *BOX), (1, *FAR)), 50.0, 50.0),
    ],
)
def test_cases_counted_by_hand(
    boxes: tuple[np.ndarray, ...], labels: np.ndarray, mean: float, half: float
) -> None:
    assert value(boxes, labels) == pytest.approx((mean, half))


def test_scores_rank_boxes_over_all_pictures() -> None:
    metric = Detection()
    wrong = found((*FAR, 0.95, 0))
    metric.add(PERFECT, wrong, truth((0, *BOX)))
    metric.add(PERFECT, found((*BOX, 0.9, 0)), truth((0, *BOX)))
    # Second by score, so precision 1/2 up to recall 1/2.
    assert metric.comparison(False).optimized.value == pytest.approx(50 * 51 / 101)


def test_the_difference_is_paired_and_has_an_interval_in_the_end() -> None:
    metric = Detection()
    for index in range(20):
        metric.add(PERFECT, PERFECT if index % 4 else found((*BOX, 0.9, 0)), BOTH)
    told = metric.comparison(True)
    assert told.original.value == 100.0
    assert (told.original.low, told.original.high) == (100.0, 100.0)
    assert told.difference.value < 0
    assert told.difference.low is not None
    assert told.difference.low < told.difference.value <= told.difference.high <= 0
    assert metric.comparison(True) == told


def test_boxes_of_a_data_file_choose_it() -> None:
    assert isinstance(metric_for(PERFECT, BOTH, "net"), Detection)
