"""Means and covariances of the tensors that followers take, seen on calibration data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
MAX_COVARIANCE = 1024  # channels; above, 8 MiB per tensor and a cubic solve cost more than they give
_ROWS = 96  # positions taken of one sample


@dataclass
class Moments:
    """Running sums over positions of one tensor. All arrays float64; `axis` holds the channels.

    Memory is 8 · channels² bytes up to MAX_COVARIANCE channels, 16 · channels above.
    """

    channels: int
    axis: int
    count: int = 0
    total: Array = field(init=False)
    products: Array = field(init=False)

    def __post_init__(self) -> None:
        self.total = np.zeros(self.channels)
        full = self.channels <= MAX_COVARIANCE
        self.products = np.zeros((self.channels, self.channels) if full else self.channels)

    def add(self, values: Array) -> None:
        """Take one batch; at most 96 evenly spread positions of each sample are looked at."""
        rows = np.moveaxis(values, self.axis, -1).reshape(len(values), -1, self.channels)
        stride = max(1, -(-rows.shape[1] // _ROWS))
        taken = np.ascontiguousarray(rows[:, ::stride].reshape(-1, self.channels), dtype=np.float32)
        self.count += len(taken)
        self.total += taken.sum(axis=0, dtype=np.float64)
        self.products += taken.T @ taken if self.products.ndim == 2 else np.square(taken).sum(axis=0)

    @property
    def mean(self) -> Array:
        return self.total / max(self.count, 1)

    @property
    def variance(self) -> Array:
        second = np.diagonal(self.products) if self.products.ndim == 2 else self.products
        return np.maximum(second / max(self.count, 1) - np.square(self.mean), 0.0)

    @property
    def covariance(self) -> Array | None:
        """(channels, channels), or None where there are too many channels."""
        if self.products.ndim != 2:
            return None
        return np.asarray(self.products / max(self.count, 1) - np.outer(self.mean, self.mean))
