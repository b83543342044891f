"""Unstructured pruning: the smallest weights of a layer become zero (magnitude, L1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = np.ndarray[Any, np.dtype[Any]]
Mask = NDArray[np.bool_]


def magnitude_mask(weight: Array, sparsity: float) -> Mask:
    """True where a weight stays: exactly round(sparsity · size) of the smallest |w| go.

    `weight` is any float array, the mask has its shape. Among equal magnitudes those that come last
    in memory order go first, so the same weights always give the same mask; at least one weight stays.
    NaN counts as large: it stays, where it can be seen.
    """
    size = np.abs(weight, dtype=np.float64).reshape(-1)
    count = min(int(np.floor(sparsity * size.size + 0.5)), size.size - 1)
    mask = np.ones(size.size, dtype=np.bool_)
    if count <= 0:
        return mask.reshape(weight.shape)
    threshold = np.partition(size, count - 1)[count - 1]
    mask[size < threshold] = False
    ties = np.flatnonzero(size == threshold)
    mask[ties[len(ties) - (count - int((~mask).sum())) :]] = False
    return mask.reshape(weight.shape)


def threshold_mask(weight: Array, threshold: float) -> Mask:
    """The classic W · 1(|W| > τ): True where |w| is above `threshold`."""
    return np.asarray(np.abs(weight) > threshold)


def pattern_mask(scores: Array, stay: int, of: int, inner: int = 1) -> Mask:
    """N:M sparsity: of every `of` consecutive input channels the `stay` of highest score remain.

    `scores` is (…, channels · inner), `inner` the places of a kernel, each of which has a pattern of its
    own. Of equal ones the first stay; a last, shorter run keeps up to `stay`.
    """
    split = scores.reshape(*scores.shape[:-1], -1, inner)
    channels = split.shape[-2]
    spare = -channels % of
    padded = np.concatenate([split, np.full((*split.shape[:-2], spare, inner), -np.inf)], axis=-2)
    runs = padded.reshape(*split.shape[:-2], -1, of, inner)
    rank = np.argsort(np.argsort(-runs, axis=-2, kind="stable"), axis=-2, kind="stable")
    flat = (rank < stay).reshape(padded.shape)[..., :channels, :]
    return np.ascontiguousarray(flat.reshape(scores.shape))


def sparsity_of(mask: Mask) -> float:
    """The fraction of weights that a mask removes."""
    return 1.0 - float(np.count_nonzero(mask)) / mask.size if mask.size else 0.0
