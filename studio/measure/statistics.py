"""95 % intervals for proportions, paired differences of proportions, and means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """A point estimate with the interval around it, `low` ≤ `value` ≤ `high`."""

    value: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """The longer arm of the interval."""
        return max(self.high - self.value, self.value - self.low)

    def scaled(self, factor: float) -> Interval:
        """All three times `factor` > 0 (100: fractions to points)."""
        return Interval(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Counts over the same samples: right in both models, in one of them only, in neither."""

    both: int = 0
    first_only: int = 0
    second_only: int = 0
    neither: int = 0

    @property
    def n(self) -> int:
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def first(self) -> int:
        return self.both + self.first_only

    @property
    def second(self) -> int:
        return self.both + self.second_only

    def plus(self, other: Pairs) -> Pairs:
        """The counts of both tables together."""
        return Pairs(
            self.both + other.both,
            self.first_only + other.first_only,
            self.second_only + other.second_only,
            self.neither + other.neither,
        )


def wilson(successes: int, n: int, z: float = Z95) -> Interval:
    """Score interval of a proportion, 0 ≤ `successes` ≤ `n`, `n` ≥ 1 (fractions of 1).

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    p, zz = successes / n, z * z
    centre = (successes + zz / 2) / (n + zz)
    arm = z * sqrt(n * p * (1 - p) + zz / 4) / (n + zz)
    # Rounding must not push an exact 0 or 1 out of its own interval.
    return Interval(p, min(max(centre - arm, 0.0), p), max(min(centre + arm, 1.0), p))


def paired_difference(pairs: Pairs, z: float = Z95) -> Interval:
    """Second minus first proportion on the same samples, `pairs.n` ≥ 1 (fractions of 1).

    Method 10 of R. G. Newcombe, Improved confidence intervals for the difference between binomial
    proportions based on paired data, Statistics in Medicine 17 (1998): two Wilson intervals, squared
    and added with the continuity-corrected correlation between them.
    """
    n = pairs.n
    one, two = wilson(pairs.first, n, z), wilson(pairs.second, n, z)
    phi = _correlation(pairs)
    down = _arm(two.value - two.low, one.high - one.value, phi)
    up = _arm(two.high - two.value, one.value - one.low, phi)
    value = (pairs.second_only - pairs.first_only) / n
    return Interval(value, max(value - down, -1.0), min(value + up, 1.0))


def mean_interval(values: Sequence[float] | NDArray[np.float64]) -> Interval:
    """Mean of real values with Student's t interval; a single value has the widest interval there is."""
    from scipy.stats import t

    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if array.size < 2:
        return Interval(mean, float("-inf"), float("inf"))
    arm = float(t.ppf(0.975, array.size - 1)) * float(array.std(ddof=1)) / sqrt(array.size)
    return Interval(mean, mean - arm, mean + arm)


def median_interval(values: Sequence[float] | NDArray[np.float64]) -> Interval:
    """Median with its distribution-free interval from order statistics (at least 95 % for n ≥ 6).

    H. A. David and H. N. Nagaraja, Order Statistics, 3rd edition (2003), section 7.1.
    """
    from scipy.stats import binom

    array = np.sort(np.asarray(values, dtype=np.float64))
    rank = int(binom.ppf(0.025, array.size, 0.5))
    low = max(rank - 1, 0)
    return Interval(float(np.median(array)), float(array[low]), float(array[array.size - 1 - low]))


def _correlation(pairs: Pairs) -> float:
    a, b, c, d = pairs.both, pairs.first_only, pairs.second_only, pairs.neither
    product = (a + b) * (c + d) * (a + c) * (b + d)
    if product == 0:
        return 0.0
    excess = float(a * d - b * c)
    if excess > 0:
        excess = max(excess - pairs.n / 2, 0.0)
    return excess / sqrt(product)


def _arm(one: float, other: float, phi: float) -> float:
    return sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))
