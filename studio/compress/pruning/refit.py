"""Which single weights go, and what the others become so that the layer's output changes least.

A weight's score is |w| times the root of its input's energy (Sun et al. 2024, "Wanda"): a small weight on
a loud input counts. The weights that stay are then fitted anew by least squares for what really reaches
the layer, all rows at once by conjugate gradients on the weights that are there (the aim of SparseGPT,
Frantar & Alistarh 2023, solved jointly and not column by column). The mean goes into the bias.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = np.ndarray[Any, np.dtype[Any]]
Mask = NDArray[np.bool_]
_DAMP = 1e-2  # of the mean energy: pulls towards the weights as they were
_ROUNDS = 40


@dataclass(frozen=True)
class Moments:
    """Second moments of a layer's centred inputs per group: `now` (G, K, K) of what reaches it now, `cross`
    (G, K, K) of what reached it in the original with that, and both means (G, K). float32."""

    now: Array
    cross: Array
    mean: Array
    before: Array


def moments(before: Array, now: Array) -> Moments:
    """Of rows (G, places, K) of the original and of the net as it is, from the same places."""
    mean, first = now.mean(axis=1), before.mean(axis=1)
    centred, original = now - mean[:, None], before - first[:, None]
    turned = centred / centred.shape[1]
    return Moments(
        np.matmul(centred.transpose(0, 2, 1), turned),
        np.matmul(original.transpose(0, 2, 1), turned),
        mean,
        first,
    )


def scores(weight: Array, seen: Moments) -> Array:
    """|w| · √E[x²] of weights (G, O, K); inputs that never move still count by their mean."""
    energy = np.einsum("gkk->gk", seen.now) + np.square(seen.mean)
    return np.asarray(np.abs(weight) * np.sqrt(energy + 1e-12)[:, None, :])


def refitted(weight: Array, mask: Mask, seen: Moments) -> tuple[Array, Array]:
    """(weights, bias shift) of least squared error with zeros where `mask` (G, O, K) is False.

    The shift is (G · O,), float32.
    """
    energy = np.einsum("gkk->gk", seen.now)
    damp = _DAMP * np.maximum(energy.mean(axis=1), 1e-12)[:, None, None].astype(np.float32)

    def times(rows: Array) -> Array:
        return np.asarray(np.matmul(rows, seen.now) + damp * rows)

    aim = np.matmul(weight, seen.cross) + damp * weight
    found = _solved(weight * mask, aim, times, energy[:, None, :] + damp, mask)
    shift = np.einsum("gok,gk->go", weight, seen.before) - np.einsum("gok,gk->go", found, seen.mean)
    return found, shift.reshape(-1)


def _solved(start: Array, aim: Array, times: Callable[[Array], Array], scale: Array, mask: Mask) -> Array:
    """Conjugate gradients, each row on its own weights, a fixed number of rounds: no clock, no chance."""
    found, rest = start, (aim - times(start)) * mask
    step = ahead = rest / scale
    size = (rest * step).sum(axis=-1, keepdims=True)
    for _ in range(_ROUNDS):
        turned = times(ahead) * mask
        reach = size / np.maximum((ahead * turned).sum(axis=-1, keepdims=True), 1e-30)
        found, rest = found + reach * ahead, rest - reach * turned
        step = rest / scale
        last, size = size, (rest * step).sum(axis=-1, keepdims=True)
        ahead = step + size / np.maximum(last, 1e-30) * ahead
    return np.asarray(found, np.float32)
