"""Which channels can go at the least cost to the layers behind, one after the other.

What a layer took in is predicted from what stays by least squares (see `repair`). Removing channel q then
adds M_qq / (H⁻¹)_qq to the squared error of the layer's output, with H the covariance of its input and
M = W·Wᵀ of its weights; both are updated as channels go (optimal brain surgeon, Hassibi & Stork 1992, on
whole channels). So a channel that others can stand in for goes first, however much it varies. Errors
are told as shares of the variance of each layer's output. Only calibration inputs are used, no labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from studio.compress.pruning.choose import Scores, weight_rows
from studio.compress.pruning.repair import MAX_SOLVE, RIDGE
from studio.graph.coupling.couple import Component, Coupling

if TYPE_CHECKING:
    import onnx_ir as ir

Array = np.ndarray[Any, np.dtype[Any]]
Ids = NDArray[np.int64]
_ROUNDS = 64  # updates at most per block: wider blocks lose several channels at a time


@dataclass
class _Layer:
    """One layer behind: `classes` of its input channels, H⁻¹, M, and the variance of its output, divided by
    the root of how much the net's outputs answer to it: that is seen on few samples and one small step."""

    classes: Ids
    inverse: Array
    gram: Array
    whole: float

    def costs(self, count: int) -> Scores:
        """By class (`count` of them): the share of the output that its removal would cost."""
        free = np.diagonal(self.inverse)
        there = free > 0
        each = np.where(there, np.diagonal(self.gram) / np.where(there, free, 1.0), 0.0)
        scores = np.zeros(count)
        np.add.at(scores, self.classes, np.maximum(each, 0.0) / self.whole)
        return scores

    def remove(self, gone: Ids) -> None:
        """Take classes out and let the others stand in for them."""
        places = np.flatnonzero(np.isin(self.classes, gone))
        if not len(places):
            return
        block = self.inverse[np.ix_(places, places)]
        share = np.linalg.solve(block, self.inverse[places]).T
        self.inverse = self.inverse - share @ self.inverse[places]
        cross = self.gram[:, places]
        inner = cross[places]
        self.gram = self.gram - share @ cross.T - cross @ share.T + share @ inner @ share.T
        for matrix in (self.inverse, self.gram):
            matrix[places, :] = 0.0
            matrix[:, places] = 0.0


@dataclass(frozen=True)
class Order:
    """Classes of one block in the order in which they go, and what each costs."""

    classes: Ids
    costs: Scores


def eliminate(
    coupling: Coupling,
    part: Component,
    counts: Sequence[int],
    seen: Mapping[str, Array],
    static: Scores,
    gains: Mapping[str, float] | None = None,
) -> tuple[Order, ...]:
    """The first `counts` classes to go, for each block of `part`.

    `seen` gives rows of what layers behind take in, by layer; where it has none of the part's,
    the classes go by their `static` scores. `gains` weighs the layers: see `output_gains`.
    """
    weights = gains or {}
    layers = [
        layer
        for name in part.followers
        if (layer := _layer(coupling, name, seen, weights.get(name, 1.0))) is not None
    ]
    if not layers:
        return tuple(_sorted(block, static, count) for block, count in zip(part.blocks, counts, strict=True))
    return tuple(
        _order(layers, block, count, len(coupling.held))
        for block, count in zip(part.blocks, counts, strict=True)
    )


def _sorted(block: Ids, scores: Scores, count: int) -> Order:
    """The lowest first; of equal ones the last."""
    first = block[np.lexsort((-block, scores[block]))[:count]]
    return Order(first, scores[first])


def _order(layers: Sequence[_Layer], block: Ids, count: int, classes: int) -> Order:
    found: list[Order] = []
    left, wanted = block, count
    each = max(1, -(-count // _ROUNDS))
    while wanted > 0:
        scores = np.sum([layer.costs(classes) for layer in layers], axis=0)
        found.append(_sorted(left, scores, min(each, wanted)))
        wanted -= len(found[-1].classes)
        left = left[~np.isin(left, found[-1].classes)]
        for layer in layers:
            layer.remove(found[-1].classes)
    return Order(
        np.concatenate([order.classes for order in found]) if found else block[:0],
        np.concatenate([order.costs for order in found]) if found else np.zeros(0),
    )


def _layer(coupling: Coupling, name: str, seen: Mapping[str, Array], gain: float) -> _Layer | None:
    classes = coupling.class_of[coupling.followers[name]]
    weight = _inward(coupling.nodes[name], len(classes)) if name in seen else None
    if weight is None:
        return None
    covariance = _covariance(seen[name])
    gram = weight @ weight.T
    whole = float((gram * covariance).sum())
    ridge = RIDGE * max(float(np.trace(covariance)) / len(covariance), 1e-12)
    inverse = np.linalg.inv(covariance + ridge * np.eye(len(covariance)))
    return _Layer(classes, inverse, gram, whole / max(gain, 1e-6) ** 0.5) if whole > 0 else None


def _covariance(rows: Array) -> Array:
    """Of rows (n, channels), float64; only the diagonal where they are many or the rows few."""
    if rows.shape[1] > MAX_SOLVE or len(rows) <= 2 * rows.shape[1]:
        return np.diag(rows.var(axis=0, dtype=np.float64))
    centred = rows - rows.mean(axis=0)
    return np.asarray((centred.T @ centred).astype(np.float64) / len(rows))


def _inward(node: ir.Node, channels: int) -> Array | None:
    """The weight as (input channels, rest), float64."""
    weight = weight_rows(node)
    if weight is None:
        return None
    inward = weight if node.op_type == "ConvTranspose" else np.moveaxis(weight, 1, 0)
    return inward.reshape(channels, -1) if len(inward) == channels else None
