"""Weights of 1 to 8 bits as bytes: bits side by side, without gaps.

A weight of N elements is first a list of codes 0 … 2^bits − 1. The bits of code 0 come first, its
lowest bit first, then those of code 1, …; eight bits make a byte, lowest first; the last byte is
filled with zeros. So N weights take ceil(N · bits / 8) bytes at every width.
"""

from __future__ import annotations

import numpy as np

from studio.compress.work import Array


def pack(codes: Array, bits: int) -> Array:
    """Codes (any shape, 0 … 2^bits − 1) as uint8 bytes (ceil(N · bits / 8),)."""
    flat = np.ascontiguousarray(codes, np.uint8).reshape(-1, 1)
    planes = (flat >> np.arange(bits, dtype=np.uint8)) & np.uint8(1)
    return np.packbits(planes.reshape(-1), bitorder="little")


def unpack(packed: Array, bits: int, shape: tuple[int, ...]) -> Array:
    """The codes (uint8, `shape`) that `pack` was given."""
    count = int(np.prod(shape, dtype=np.int64))
    planes = np.unpackbits(packed, count=count * bits, bitorder="little").reshape(count, bits)
    return np.asarray((planes << np.arange(bits, dtype=np.uint8)).sum(axis=1, dtype=np.uint8)).reshape(shape)


def encode(values: Array, table: Array) -> Array:
    """Index of each value in the sorted `table`; every value must be in it."""
    return np.searchsorted(table, values).astype(np.uint8)


def packed_bytes(count: int, bits: int) -> int:
    """Bytes that `count` weights of `bits` bits take."""
    return (count * bits + 7) // 8
