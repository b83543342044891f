"""Rebuilding layers behind a removal, from front to back, and what is remembered between two builds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.compress.pruning.repair import Follower, apply, mapping
from studio.compress.pruning.rows import Run, picked, positions, rows_of, samples
from studio.compress.pruning.walk import Walk
from studio.control import Control

if TYPE_CHECKING:
    import onnx_ir as ir

Array = np.ndarray[Any, np.dtype[Any]]
_MOST_BYTES = 1 << 27


@dataclass
class Kept:
    """What builds of one graph on one set of batches share: rows of the original, by the tensors that
    were looked at, and how each layer's input is made up for, by what was removed in front of it, and
    what tensors mean to the outputs."""

    rows: dict[str, tuple[dict[str, Array], int]] = field(default_factory=dict)
    mixes: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    gains: dict[str, float] = field(default_factory=dict)

    def trim(self) -> None:
        """Let go of the oldest, so that a bound on memory holds."""
        if sum(array.nbytes for rows, _ in self.rows.values() for array in rows.values()) > _MOST_BYTES:
            self.rows.clear()
        total = sum(mix.nbytes for mix, _ in self.mixes.values())
        for stamp in list(self.mixes):
            if total > _MOST_BYTES:
                total -= self.mixes.pop(stamp)[0].nbytes


@dataclass(frozen=True)
class Given:
    """Runs to rebuild on (none: the original's rows serve), and positions of a sample that count."""

    runs: Sequence[Run]
    most: int


def look(
    model: ir.Model,
    behind: Mapping[str, tuple[str, int, int]],
    runs: Sequence[Run],
    kept: Kept,
    control: Control,
) -> tuple[dict[str, Array], int]:
    """Rows of what each layer takes in (`behind`: its tensor, their axis, their number), in one pass for
    all, and how many positions of a sample those are."""
    if not behind:
        return {}, 1
    key = repr(sorted(behind.items()))
    if key not in kept.rows:
        control.step(0.0, "looking at channels")
        widths = {tensor: width for tensor, _, width in behind.values()}
        most = positions(runs, sum(widths.values()))
        axes = {tensor: axis for tensor, axis, _ in behind.values()}
        kept.rows = {key: (rows_of(model, axes, runs, most, control), most)}
    rows, most = kept.rows[key]
    return {name: rows[tensor] for name, (tensor, _, _) in behind.items()}, most


def rebuild(
    model: ir.Model,
    followers: Sequence[tuple[Follower, Array]],
    given: Given,
    kept: Kept,
    control: Control,
) -> None:
    """Layer by layer, each on what really reaches it in `given.runs`; without runs, on what stays of what
    it took in. What `kept` knows is not computed again, nor is the net run for it."""
    from threadpoolctl import threadpool_limits

    walk = Walk(model, given.runs, [each.tensor for each, _ in followers]) if given.runs else None
    with threadpool_limits(1, "blas"):  # sums in another order would be other bytes
        for index, (each, wanted) in enumerate(followers):
            control.step(index / len(followers), f"rebuilding {each.node.name}")
            key = f"{samples(given.runs)}:{given.most}:{each.stamp}"
            if key not in kept.mixes:
                rows = _rows(walk, each, wanted, given.most)
                kept.mixes[key] = mapping(rows, wanted[: len(rows)], each.keep)
            apply(model, each, *kept.mixes[key])
    kept.trim()


def _rows(walk: Walk | None, each: Follower, wanted: Array, most: int) -> Array:
    if walk is None:
        return np.ascontiguousarray(wanted[:, each.keep])
    return np.concatenate([picked(run, each.axis, most) for run in walk.upto(each.tensor)])
