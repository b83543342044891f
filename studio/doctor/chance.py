"""When an accuracy is no better than guessing: a sign that samples are not prepared as for training."""

from __future__ import annotations

from studio.metrics import Figure

_NEAR = 2.0


def chance(classes: int) -> float:
    """Accuracy of guessing among `classes` (at least 1), in per cent."""
    return 100 / classes


def near_chance(accuracy: Figure, classes: int) -> bool:
    """Whether `accuracy` in per cent may lie below twice that of guessing; never for two classes."""
    least = accuracy.low if accuracy.low is not None else accuracy.value
    return classes > 0 and least < _NEAR * chance(classes) < 100
