"""Round weights so that the layer's output errs least: second-order rounding, then coordinate descent.

A layer's output error for the rounding errors e of one output channel is eᵀ·H·e, with H the second
moments of what the layer takes in. Rounding columns one after the other and handing each error on to
the columns still open is GPTQ (Frantar et al. 2022, after Optimal Brain Surgeon, Hassibi 1993);
moving single weights to the level that lowers the whole error most, scales refitted in turn, is
coordinate descent on the same error. Levels may be any sorted table, so code books are rounded alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from studio.compress.work import Array

_BLOCK = 64
_SWEEPS = 3
_WIDEST_INVERSE = 2304
_RATIOS = (0.55, 0.65, 0.72, 0.78, 0.84, 0.9, 0.95, 1.0, 1.06)


@dataclass(frozen=True)
class Problem:
    """Weights `rows` (G, O, K), the moments `gram` (G, K, K) of what each group takes in, both float32
    and `gram` positive definite; `table` (levels,) sorted int8; `frozen` (G, O, K) marks weights that
    must be zero, or None; `tied`: one scale for everything."""

    rows: Array
    gram: Array
    table: Array
    frozen: Array | None = None
    tied: bool = False

    def error(self, values: Array, scale: Array) -> Array:
        """Squared output error (G, O) of `values` · `scale`."""
        off = self.rows - values * scale[..., None]
        return np.asarray(np.einsum("gok,gok->go", off @ self.gram, off))

    def nearest(self, exact: Array, scale: Array, columns: slice | int = slice(None)) -> Array:
        """The levels nearest to `exact` / `scale`; zero where frozen."""
        borders = (self.table[1:].astype(np.float32) + self.table[:-1]) / 2
        wide = scale if exact.ndim == scale.ndim else scale[..., None]
        found = self.table[np.searchsorted(borders, exact / wide)].astype(np.float32)
        if self.frozen is not None:
            found = np.where(self.frozen[..., columns], 0.0, found)
        return np.asarray(found)


def best_rounding(problem: Problem, values: Array, scale: Array) -> tuple[Array, Array, Array]:
    """(values, scale, error): (G, O, K), (G, O), (G, O); nowhere worse than what it is given.

    Scales around `scale` are tried with each weight's own moment, the best are rounded in second
    order, and both are improved in turn from there.
    """
    given, unit = values.astype(np.float32), scale.astype(np.float32)
    start = _scaled(problem, unit)
    found, fitted = descend(problem, second_order(problem, order_of(problem.gram), start), start)
    before, after = problem.error(given, unit), problem.error(found, fitted)
    better = after < before
    if problem.tied:
        better = np.full(after.shape, after.sum() < before.sum())
    best = np.where(better[..., None], found, given).astype(np.int8)
    return best, np.where(better, fitted, unit), np.where(better, after, before)


def _scaled(problem: Problem, scale: Array) -> Array:
    """Scales with the least error where each weight's error counts by its own moment alone."""
    own = np.diagonal(problem.gram, axis1=1, axis2=2)[:, None, :]
    best, least = scale, np.full(scale.shape, np.inf)
    for ratio in _RATIOS:
        tried = (scale * np.float32(ratio)).astype(np.float32)
        off = problem.rows - problem.nearest(problem.rows, tried) * tried[..., None]
        error = (np.square(off) * own).sum(axis=2)
        if problem.tied:
            error = np.full_like(error, error.sum())
        best, least = np.where(error < least, tried, best), np.minimum(error, least)
    return np.asarray(best)


@dataclass(frozen=True)
class Order:
    """Columns by falling moment, `places` (G, K), and the upper Cholesky factor (G, K, K) of the inverse of
    the moments in that order."""

    places: Array
    upper: Array


def order_of(gram: Array) -> Order | None:
    """The order to round columns in; None where there are too many for an inverse."""
    if gram.shape[1] > _WIDEST_INVERSE:
        return None
    places = np.argsort(-np.diagonal(gram, axis1=1, axis2=2), axis=1, kind="stable")
    turned = np.take_along_axis(gram, places[:, :, None], axis=1)
    turned = np.take_along_axis(turned, places[:, None, :], axis=2).astype(np.float64)
    upper = np.linalg.cholesky(np.linalg.inv(turned)).swapaxes(1, 2)
    return Order(places, np.ascontiguousarray(upper, np.float32))


def second_order(problem: Problem, order: Order | None, scale: Array) -> Array:
    """Round the columns of largest moment first, each error handed on to the open columns."""
    if order is None:
        return problem.nearest(problem.rows, scale)
    places = order.places[:, None, :]
    frozen = None if problem.frozen is None else np.take_along_axis(problem.frozen, places, axis=2)
    turned = replace(problem, frozen=frozen)
    values = _handed_on(turned, np.take_along_axis(problem.rows, places, axis=2), scale, order.upper)
    out = np.empty_like(values)
    np.put_along_axis(out, np.broadcast_to(places, values.shape), values, axis=2)
    return out


def _handed_on(problem: Problem, rows: Array, scale: Array, upper: Array) -> Array:
    rows, values = rows.copy(), np.empty_like(rows)
    width = rows.shape[2]
    for start in range(0, width, _BLOCK):
        stop = min(start + _BLOCK, width)
        errors = np.empty((*rows.shape[:2], stop - start))
        for column in range(start, stop):
            values[:, :, column] = problem.nearest(rows[:, :, column], scale, column)
            off = rows[:, :, column] - values[:, :, column] * scale
            errors[:, :, column - start] = off / upper[:, column, column, None]
            ahead = upper[:, column, None, column + 1 : stop]
            rows[:, :, column + 1 : stop] -= errors[:, :, column - start, None] * ahead
        rows[:, :, stop:] -= errors @ upper[:, start:stop, stop:]
    return values


def descend(problem: Problem, values: Array, scale: Array) -> tuple[Array, Array]:
    """Move single weights and refit scales in turn; the error of no channel rises."""
    own = np.diagonal(problem.gram, axis1=1, axis2=2)
    for _ in range(_SWEEPS):
        scale = _refitted(problem, values, scale)
        before = values
        values = _sweep(problem, values, scale, own)
        if np.array_equal(before, values):
            break
    return values, scale


def _sweep(problem: Problem, values: Array, scale: Array, own: Array) -> Array:
    values = values.copy()
    off = problem.rows - values * scale[..., None]
    for start in range(0, values.shape[2], _BLOCK):
        block = slice(start, start + _BLOCK)
        inner = problem.gram[:, block, block]
        pull = off @ problem.gram[:, :, block]
        for index in range(inner.shape[2]):
            column = start + index
            wish = values[:, :, column] * scale + pull[:, :, index] / own[:, column, None]
            moved = problem.nearest(wish, scale, column)
            change = (moved - values[:, :, column]) * scale
            values[:, :, column] = moved
            off[:, :, column] -= change
            pull -= change[..., None] * inner[:, None, index, :]
    return values


def _refitted(problem: Problem, values: Array, scale: Array) -> Array:
    """The scales of least error for these values, where they are positive and allowed."""
    seen = values @ problem.gram
    norm, found = (seen * values).sum(axis=2), (seen * problem.rows).sum(axis=2)
    if problem.tied:
        norm, found = np.full_like(norm, norm.sum()), np.full_like(found, found.sum())
    fitted = found / np.where(norm > 0, norm, 1.0)
    usable = (norm > 0) & (fitted > np.finfo(np.float32).tiny)
    return np.where(usable, fitted, scale)
