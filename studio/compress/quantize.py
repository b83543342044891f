"""Choose the levels and scales of every layer's weight."""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping
from typing import Any

from studio.compress.codebook import cluster
from studio.compress.fold import weight_array
from studio.compress.weights import Levels, quantize
from studio.compress.work import Array, Work
from studio.control import Control
from studio.graph.model import LayerFact
from studio.recipe.resolve import LayerPlan

_REDUCED = 63


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
        if weight is None:
            work.refuse(fact.name, "bits", row.bits, fact.bits, "its weight is not a plain float constant")
            continue
        key = f"levels:{_digest(weight)}:{fact.channel_axis}:{_settings(work, row)}"
        if key not in cache:
            cache[key] = levels_of(work, fact, row, weight, None)
        found[fact.name] = cache[key]
    return found


def levels_of(work: Work, fact: LayerFact, row: LayerPlan, weight: Array, floor: Array | None) -> Levels:
    """Quantize one weight as its row asks; `floor` (channels,) is the smallest scale allowed."""
    channels = row.granularity != "tensor"
    if row.storage == "codebook" and row.bits < 8:
        return cluster(
            weight, row.bits, fact.channel_axis, per_channel=channels, keep_zero=_sparse(row), floor=floor
        )
    return quantize(
        weight,
        row.bits,
        fact.channel_axis,
        per_channel=channels,
        keep_zero=_sparse(row),
        floor=floor,
        limit=_REDUCED if work.target.reduce_range else 127,
    )


def _sparse(row: LayerPlan) -> bool:
    return row.sparsity > 0 and row.structure == "unstructured"


def _settings(work: Work, row: LayerPlan) -> str:
    return (
        f"{row.bits}:{row.granularity}:{_sparse(row)}:{row.storage == 'codebook'}:{work.target.reduce_range}"
    )


def _digest(weight: Array) -> str:
    return hashlib.sha256(repr(weight.shape).encode() + weight.tobytes()).hexdigest()
