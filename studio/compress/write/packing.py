"""Weights of 1 to 8 bits as bit planes.

A weight of N elements is first a list of codes 0 … 2^bits − 1. Plane k holds bit k of every code, eight
codes to a byte, the first in the lowest bit; the last byte of a plane is filled with zeros. So N weights
take bits · ceil(N / 8) bytes at every width.
"""

from __future__ import annotations

import numpy as np

from studio.compress.work import Array


def pack(codes: Array, bits: int) -> Array:
    """Codes (any shape, 0 … 2^bits − 1) as uint8 planes (bits, ceil(N / 8)), lowest bit first."""
    flat = np.ascontiguousarray(codes, np.uint8).reshape(1, -1)
    planes = (flat >> np.arange(bits, dtype=np.uint8)[:, None]) & np.uint8(1)
    return np.packbits(planes, axis=1, bitorder="little")


def unpack(planes: Array, shape: tuple[int, ...]) -> Array:
    """The codes (uint8, `shape`) that `pack` was given."""
    count = int(np.prod(shape, dtype=np.int64))
    bits = np.unpackbits(planes, axis=1, count=count, bitorder="little")
    weighed = bits << np.arange(len(planes), dtype=np.uint8)[:, None]
    return np.asarray(weighed.sum(axis=0, dtype=np.uint8)).reshape(shape)


def encode(values: Array, table: Array) -> Array:
    """Index of each int8 value in the sorted `table`; every value must be in it."""
    places = np.searchsorted(table, np.arange(-128, 128)).astype(np.uint8)
    return places[values.astype(np.int16) + 128]


def packed_bytes(count: int, bits: int) -> int:
    """Bytes that `count` weights of `bits` bits take."""
    return bits * ((count + 7) // 8)
