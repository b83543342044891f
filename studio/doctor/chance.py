"""What chance alone would do: to an accuracy, and to the best of many gains."""

from __future__ import annotations

from studio.metrics import Figure

_NEAR = 2.0
_MANY = 2.81 / 1.96  # a dozen fixes are tried: Bonferroni's arm over that of one 95 % interval, rounded


def chance(classes: int) -> float:
    """Accuracy of guessing among `classes` (at least 1), in per cent."""
    return 100 / classes


def near_chance(accuracy: Figure, classes: int) -> bool:
    """Whether `accuracy` in per cent may lie below twice that of guessing; never for two classes."""
    least = accuracy.low if accuracy.low is not None else accuracy.value
    return classes > 0 and least < _NEAR * chance(classes) < 100


def proven(gain: Figure) -> bool:
    """Whether a gain is above 0 though it is the best of a dozen tries."""
    return gain.low is not None and gain.value > _MANY * (gain.value - gain.low)
