"""Choose the levels and scales of every layer's weight."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any

import numpy as np

from studio.compress.digests import digest_of
from studio.compress.levels.asymmetric import quantize_asymmetric
from studio.compress.levels.blocks import OPSET, quantize_blocks
from studio.compress.levels.codebook import cluster
from studio.compress.levels.weights import Levels, quantize
from studio.compress.parts import weight_array
from studio.compress.work import Array, Work
from studio.compress.write.storage import choose
from studio.control import Control
from studio.graph.model import LayerFact
from studio.recipe.resolve import LayerPlan

_REDUCED = 63
_BOOK_BITS = (3, 4)
_BOOK_SIZE = 1024
_BOOK_GAIN = 0.95


def choose_levels(work: Work, control: Control, cache: MutableMapping[str, Any]) -> dict[str, Levels]:
    """The quantized weight of every layer whose row has 8 bits or fewer, by layer name.

    `cache` keeps them by the weight's content and the row's settings. A layer whose weight is no
    plain float constant is refused.
    """
    found: dict[str, Levels] = {}
    for index, (fact, row, node) in enumerate(work.layers()):
        control.step(index / len(work.facts.layers), f"quantizing {fact.name}")
        if not row.quantized:
            continue
        weight = weight_array(node)
        row = _without_blocks(work, row) if row.granularity == "block" else row
        if weight is None:
            work.refuse(fact.name, "bits", row.bits, fact.bits, "its weight is not a plain float constant")
            continue
        digest = digest_of(node.inputs[1])
        key = f"levels:{digest}:{fact.channel_axis}:{_settings(work, fact, row)}"
        if key not in cache:
            cache[key] = replace(levels_of(work, fact, row, weight, None), key=key)
        if not _saves(work, row, cache[key]):
            row = _widened(work, row)
            key = f"levels:{digest}:{fact.channel_axis}:{_settings(work, fact, row)}"
            cache[key] = replace(levels_of(work, fact, row, weight, None), key=key)
        found[fact.name] = cache[key]
    return found


def levels_of(work: Work, fact: LayerFact, row: LayerPlan, weight: Array, floor: Array | None) -> Levels:
    """Quantize one weight as its row asks; `floor` (channels,) is the smallest scale allowed.

    Where the storage is left to the program, a layer of 3 or 4 bits that is large enough to carry
    a table of its own gets a code book if that is closer to its weights.
    """
    reduced = work.target.reduces(fact, row.activations)
    limit = _REDUCED if reduced else 127
    channels, sparse, axis = row.granularity != "tensor", _sparse(work, row), fact.channel_axis
    if row.granularity == "block":
        return quantize_blocks(weight, row.block)
    if not row.symmetric:
        bits = min(row.bits, 7) if reduced else row.bits
        return quantize_asymmetric(weight, bits, axis, per_channel=channels, floor=floor)
    book = row.storage == "codebook" and row.bits < 8
    if book or (_may_book(work, row) and weight.size >= _BOOK_SIZE):
        levels = cluster(
            weight, row.bits, axis, per_channel=channels, keep_zero=sparse, floor=floor, limit=limit
        )
        if book:
            return levels
        even = quantize(weight, row.bits, axis, per_channel=channels, keep_zero=sparse, floor=floor)
        return levels if _error(levels, weight) < _BOOK_GAIN * _error(even, weight) else even
    return quantize(weight, row.bits, axis, per_channel=channels, keep_zero=sparse, floor=floor, limit=limit)


def _may_book(work: Work, row: LayerPlan) -> bool:
    """Learned rounding does as well on equal steps, which take fewer bytes."""
    learned = work.repairs("round") and work.plan.needs_calibration
    return row.storage == "auto" and row.bits in _BOOK_BITS and not learned


def _saves(work: Work, row: LayerPlan, levels: Levels) -> bool:
    """Whether these levels take fewer bytes than those of 8 bits would."""
    free = row.storage == "auto" and row.symmetric and row.granularity != "block"
    opset = work.model.opset_imports.get("", 0)
    return row.bits == 8 or not free or choose(levels, "auto", opset) != "dense"


def _widened(work: Work, row: LayerPlan) -> LayerPlan:
    reason = "so few weights take as many bytes at 8 bits, and lose less; storage `packed` insists"
    work.refuse(row.layer, "bits", row.bits, 8, reason)
    work.rows[row.layer] = replace(row, bits=8)
    return work.rows[row.layer]


def _without_blocks(work: Work, row: LayerPlan) -> LayerPlan:
    """The row, per channel where the model's opset knows no blocks."""
    opset = work.model.opset_imports.get("", 0)
    if opset >= OPSET:
        return row
    reason = f"blocks need opset {OPSET}, and this model cannot be raised from {opset}"
    work.refuse(row.layer, "granularity", "block", "channel", reason)
    work.rows[row.layer] = replace(row, granularity="channel", block=0)
    return work.rows[row.layer]


def _error(levels: Levels, weight: Array) -> float:
    return float(np.square(levels.dequantized() - weight).sum())


def _sparse(work: Work, row: LayerPlan) -> bool:
    """Whether zeros must stay zero."""
    return (row.sparsity > 0 and row.structure == "unstructured") or row.layer in work.split


def _settings(work: Work, fact: LayerFact, row: LayerPlan) -> str:
    reduced = work.target.reduces(fact, row.activations)
    return (
        f"{row.bits}:{row.granularity}:{_sparse(work, row)}:{row.storage == 'codebook'}:{reduced}"
        f":{row.symmetric}:{row.block}:{_may_book(work, row)}"
    )
