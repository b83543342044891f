"""The 8-bit grid of an activation: scale, zero point and type, from the range that was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studio.compress.calibration.ranges import Range
from studio.compress.work import Array


@dataclass(frozen=True, slots=True)
class Grid:
    """real = (code − zero) · scale; codes are uint8 or int8 as `kind` says."""

    scale: float
    zero: int
    kind: str

    def zero_array(self) -> Array:
        """The zero point as a 0-d array of the code's type."""
        return np.array(self.zero, np.uint8 if self.kind == "uint8" else np.int8)

    def scale_array(self) -> Array:
        """The scale as a 0-d float32 array."""
        return np.array(self.scale, np.float32)


def grid_of(seen: Range, kind: str) -> Grid:
    """The grid of 256 codes that spans `seen` and holds zero exactly."""
    low, high = min(seen.low, 0.0), max(seen.high, 0.0)
    scale = np.float32((high - low) / 255) if high > low else np.float32(1 / 255)
    scale = max(scale, np.finfo(np.float32).tiny)
    lowest = 0 if kind == "uint8" else -128
    zero = int(np.clip(np.rint(lowest - low / scale), lowest, lowest + 255))
    return Grid(float(scale), zero, kind)


def clipped(seen: Range, low: float, high: float) -> Range:
    """`seen` after an activation that clips to [low, high]."""
    return Range(min(max(seen.low, low), high), max(min(seen.high, high), low))
