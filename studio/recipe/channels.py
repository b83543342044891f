"""How many channels stay: arithmetic that pruning and estimates share."""

from __future__ import annotations

from math import floor


def keep_count(width: int, sparsity: float, each: int = 1) -> int:
    """How many of `width` coupled channels stay, each of which stands for `each` channels of a layer.

    A layer keeps multiples of 16 from 128 channels on and of 8 from 32 on: kernels work in such
    blocks, and odd counts run slower than the unpruned layer.
    """
    step = count_step(width, each)
    rounded = floor(width * (1 - sparsity) / step + 0.5) * step
    return min(width, max(rounded, step))


def count_step(width: int, each: int = 1) -> int:
    """Counts of coupled channels are multiples of this."""
    whole = width * each
    step = 16 if whole >= 128 else 8 if whole >= 32 else 1
    return step // each if step % each == 0 else 1
