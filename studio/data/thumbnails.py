"""Small pictures of samples, for eyes only: what was fed to the model, scaled to grey or colour bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 96
_PLANES = (1, 3)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One sample as rows of bytes: `planes` is 1 (grey) or 3 (RGB, interleaved)."""

    sample: int
    width: int
    height: int
    planes: int
    pixels: bytes


def thumbnail(sample: int, values: NDArray[np.generic]) -> Thumbnail | None:
    """A picture of one sample of shape (H, W), (C, H, W) or (H, W, C) with 1 or 3 planes; else None.

    Its least value becomes black, its greatest white: preprocessing need not be undone. At most
    `SIDE` pixels a side, by leaving rows and columns out.
    """
    picture = _planes_last(values)
    if picture is None or not picture.size or not np.isfinite(picture).all():
        return None
    every = max(-(-max(picture.shape[:2]) // SIDE), 1)
    picture = picture[::every, ::every].astype(np.float64)
    low, high = picture.min(), picture.max()
    scaled = np.round((picture - low) / (high - low if high > low else 1.0) * 255).astype(np.uint8)
    height, width, planes = scaled.shape
    return Thumbnail(sample, width, height, planes, scaled.tobytes())


def _planes_last(values: NDArray[np.generic]) -> NDArray[np.generic] | None:
    if values.ndim == 2:
        return values[..., None]
    if values.ndim != 3:
        return None
    if values.shape[0] in _PLANES:
        return np.moveaxis(values, 0, -1)
    return values if values.shape[-1] in _PLANES else None
