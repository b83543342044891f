"""What a file is likely to cost on other samples, from its counts and from the noise at its output.

Counts over few samples jump, and the best of many counts is the luckiest one; noise is steady. So each
loss is the mean of what noise foretells and what was counted, weighed by how well either is known: a
normal prior whose mean and deviation both grow with the noise power, for all files together (empirical
Bayes: Fay and Herriot, J. Am. Stat. Assoc. 74, 1979), cut off at 0, for compression is not expected to
make a network better.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, pi, sqrt

from studio.metrics import Figure

_LEAST = 0.01  # points per unit of noise power, where nothing was lost at all: less noise is still better
_TURNS = 4
_FAR = 8.0  # deviations above the mean from where the tail's mean is told by its first term


def likely(seen: Sequence[tuple[Figure, float | None]]) -> list[float]:
    """Points that files are likely to lose, from (difference, SQNR in dB; None: nothing differs) of each."""
    drops = [-figure.value for figure, _ in seen]
    errors = [_error(figure) for figure, _ in seen]
    noises = [_noise(sqnr) for _, sqnr in seen]
    slope = _slope(drops, errors, noises)
    return [
        _posterior(drop, error, slope * noise)
        for drop, error, noise in zip(drops, errors, noises, strict=True)
    ]


def _slope(drops: Sequence[float], errors: Sequence[float], noises: Sequence[float]) -> float:
    """Points per unit of noise power: least squares through the origin, each file by how well it tells."""
    slope = 0.0
    for _ in range(_TURNS):
        weights = [1 / (error**2 + (slope * noise) ** 2) for error, noise in zip(errors, noises, strict=True)]
        squares = sum(weight * noise**2 for weight, noise in zip(weights, noises, strict=True))
        products = sum(
            weight * noise * drop for weight, noise, drop in zip(weights, noises, drops, strict=True)
        )
        slope = max(products / squares, _LEAST) if squares > 0 else _LEAST
    return slope


def _posterior(drop: float, error: float, foretold: float) -> float:
    """The mean of the normal around what was counted times the one around `foretold`, above 0 only."""
    share = foretold**2 / (foretold**2 + error**2)
    mean, deviation = share * drop + (1 - share) * foretold, sqrt(share) * error
    if deviation == 0.0:
        return mean
    start = -mean / deviation
    if start > _FAR:
        return deviation / start
    return mean + deviation * sqrt(2 / pi) * exp(-(start**2) / 2) / erfc(start / sqrt(2))


def _error(figure: Figure) -> float:
    """The standard error of a difference: half a sample at least, since no count is certain."""
    least = 50 / max(figure.n, 1)
    if figure.low is None or figure.high is None:
        return max(50 / sqrt(max(figure.n, 1)), least)
    return max((figure.high - figure.low) / 3.92, least)


def _noise(sqnr_db: float | None) -> float:
    """Noise power at the output as a share of the signal's; what is all noise counts as 1."""
    return 0.0 if sqnr_db is None else float(10.0 ** (-min(max(sqnr_db, 0.0), 200.0) / 10))
