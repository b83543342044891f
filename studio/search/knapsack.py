"""One setting for each group, within limits, at the least cost: a multiple-choice knapsack."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np

from studio.recipe.settings import Settings

_ALONE = Lock()  # the descriptors are those of the whole process
_OUT, _ERR = 1, 2


@dataclass(frozen=True, slots=True)
class Option:
    """A setting for one group: points lost, bytes against the reference, time units against the float net."""

    settings: Settings
    loss: float
    bytes: float
    time: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper limits on the sums over all groups; None where there is none."""

    loss: float | None = None
    bytes: float | None = None
    time: float | None = None


def solve(
    options: Sequence[Sequence[Option]], limits: Limits, seconds: float = 5.0
) -> tuple[int, ...] | None:
    """The index of the option taken for each group; None where no choice keeps the limits.

    Least loss where bytes are limited, least bytes where loss is; the other breaks ties. Solved
    exactly, up to `seconds`, by HiGHS through scipy.optimize.milp.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    sizes = [len(each) for each in options]
    flat = [option for each in options for option in each]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    rows = [np.equal.outer(np.arange(len(sizes)), groups).astype(float)]
    low, high = [1.0] * len(sizes), [1.0] * len(sizes)
    for name in ("loss", "bytes", "time"):
        limit = getattr(limits, name)
        if limit is not None:
            rows.append(np.array([[getattr(option, name) for option in flat]]))
            low.append(-np.inf)
            high.append(limit)
    with native_prints_aside():
        found = milp(
            _costs(flat, limits),
            integrality=np.ones(len(flat)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(np.vstack(rows), low, high),
            options={"time_limit": seconds},
        )
    return None if found.x is None else _chosen(found.x, sizes)


@contextmanager
def native_prints_aside() -> Iterator[None]:
    """What C code prints goes to standard error: HiGHS now and then prints a line whatever it is told, and
    standard output is for the one JSON object of the command line.
    """
    with _ALONE:
        kept = os.dup(_OUT)
        os.dup2(_ERR, _OUT)
        try:
            yield
        finally:
            ctypes.CDLL(None).fflush(None)
            os.dup2(kept, _OUT)
            os.close(kept)


def _costs(flat: Sequence[Option], limits: Limits) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    loss = np.array([option.loss for option in flat])
    size = np.array([option.bytes for option in flat]) / 1000
    return loss + 1e-5 * size if limits.loss is None else size + 1e-3 * loss


def _chosen(values: np.ndarray[tuple[int], np.dtype[np.float64]], sizes: Sequence[int]) -> tuple[int, ...]:
    ends = np.cumsum(sizes)
    return tuple(int(values[end - size : end].argmax()) for end, size in zip(ends, sizes, strict=True))
