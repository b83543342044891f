"""Round weights so that the layer's output errs least: second-order rounding, then coordinate descent.

A layer's output error for the rounding errors e of one output channel is eᵀ·H·e, with H the second
moments of what the layer takes in. Rounding columns one after the other and handing each error on to
the columns still open is GPTQ (Frantar et al. 2022, after Optimal Brain Surgeon, Hassibi 1993);
moving single weights to the level that lowers the whole error most, once the scales are refitted, is
coordinate descent on the same error. Levels may be any sorted table, so code books are rounded alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from studio.compress.work import Array

_BLOCK = 64
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

    def nearest(self, scale: Array) -> Array:
        """The levels nearest to `rows` / `scale`, (G, O) or (G, O, K); zero where frozen."""
        found = self.levels(self.rows / (scale if scale.ndim == 3 else scale[..., None]))
        return found if self.frozen is None else np.where(self.frozen, np.float32(0), found)

    def levels(self, exact: Array) -> Array:
        """The nearest entries of the table, float32."""
        first, step, low, high = self._even
        if not step:
            borders = (self.table[1:].astype(np.float32) + self.table[:-1]) / 2
            return self.table[np.searchsorted(borders, exact)].astype(np.float32)
        places = np.rint(exact if step == 1 else (exact - first) * np.float32(1 / step))
        np.minimum(np.maximum(places, low, out=places), high, out=places)
        return np.asarray(places if step == 1 else places * step + first)

    @cached_property
    def _even(self) -> tuple[np.float32, ...]:
        """The first level, the step between levels, which is 0 where that is not always the same, and the
        lowest and highest step; steps of 1 are counted from zero."""
        steps = np.diff(self.table.astype(np.int64))
        step = steps[0] if steps.size and (steps == steps[0]).all() else 0
        low = int(self.table[0]) if step == 1 else 0  # int8 itself cannot count a table of 8 bits
        return tuple(np.float32(each) for each in (self.table[0], step, low, low + self.table.size - 1))


def best_rounding(problem: Problem, values: Array, scale: Array) -> tuple[Array, Array, Array]:
    """(values, scale, error): (G, O, K), (G, O), (G, O); nowhere worse than what it is given.

    Scales around `scale` are tried with each weight's own moment, the best are rounded in second
    order, and both are improved from there.
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
        off = problem.rows - problem.nearest(tried) * tried[..., None]
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
    """The order to round columns in; None where there are too many for an inverse.

    With J the reversal and J·H·J = L·Lᵀ, the inverse of H is UᵀU for the upper triangle U = J·L⁻¹·J: one
    factor and the inverse of a triangle do.
    """
    if gram.shape[1] > _WIDEST_INVERSE:
        return None
    places = np.argsort(-np.diagonal(gram, axis1=1, axis2=2), axis=1, kind="stable")
    back = places[:, ::-1]
    turned = (each[np.ix_(order, order)] for each, order in zip(gram, back, strict=True))
    inverse = np.stack([_inverse_factor(each) for each in turned])
    return Order(places, np.ascontiguousarray(inverse[:, ::-1, ::-1], np.float32))


def _inverse_factor(matrix: Array) -> Array:
    """L⁻¹ of `matrix` = L·Lᵀ, lower triangular; in float64 where float32 cannot tell that it is definite."""
    from scipy.linalg import lapack

    lower, failed = lapack.spotrf(matrix.T, lower=1)
    if failed:
        return np.asarray(lapack.dtrtri(np.linalg.cholesky(matrix.astype(np.float64)), lower=1)[0])
    return np.asarray(lapack.strtri(lower, lower=1, overwrite_c=1)[0])


def second_order(problem: Problem, order: Order | None, scale: Array) -> Array:
    """Round the columns of largest moment first, each error handed on to the open columns.

    `scale` is (G, O), or (G, O, K) where the weights of one output have several.
    """
    if order is None:
        return problem.nearest(scale)
    places = order.places[:, None, :]
    frozen = None if problem.frozen is None else np.take_along_axis(problem.frozen, places, axis=2)
    rows, units = np.take_along_axis(problem.rows, places, axis=2), None
    if scale.ndim == 3:
        units = columns_of(np.take_along_axis(scale, places, axis=2))
    else:
        rows = rows / scale[..., None]
    values = _handed_on(problem, columns_of(rows), order.upper, frozen, units)
    out = np.empty_like(values)
    np.put_along_axis(out, np.broadcast_to(places, values.shape), values, axis=2)
    return out


def columns_of(rows: Array) -> Array:
    """(G, O, K) as (G, K, O), a column's numbers side by side in memory; and back."""
    return np.ascontiguousarray(rows.swapaxes(1, 2))


def _handed_on(
    problem: Problem, open_: Array, upper: Array, frozen: Array | None, units: Array | None
) -> Array:
    """Levels (G, O, K) of the columns `open_` (G, K, O), which are used up; `units` are their scales, None
    where they are told in these already."""
    values, width = np.empty_like(open_), open_.shape[1]
    for start in range(0, width, _BLOCK):
        stop = min(start + _BLOCK, width)
        errors = np.empty((open_.shape[0], stop - start, open_.shape[2]), np.float32)
        for column in range(start, stop):
            exact = open_[:, column]
            found = problem.levels(exact if units is None else exact / units[:, column])
            if frozen is not None:
                found[frozen[:, :, column]] = 0.0
            off = exact - (found if units is None else found * units[:, column])
            error = off / upper[:, column, column, None]
            open_[:, column + 1 : stop] -= upper[:, column, column + 1 : stop, None] * error[:, None]
            values[:, column], errors[:, column - start] = found, error
        open_[:, stop:] -= upper[:, start:stop, stop:].swapaxes(1, 2) @ errors
    return columns_of(values)


def descend(problem: Problem, values: Array, scale: Array) -> tuple[Array, Array]:
    """Refit scales, then move single weights once; the error of no channel rises.

    A second turn lowers the error on what is learned from, but not on samples held back.
    """
    fitted = _refitted(problem, values, scale)
    return _sweep(problem, values, fitted), fitted


def _sweep(problem: Problem, values: Array, scale: Array) -> Array:
    """One pass over all columns; everything is told in units of the channels' scales."""
    own = np.diagonal(problem.gram, axis1=1, axis2=2)
    turned = columns_of(values)
    off = columns_of(problem.rows / scale[..., None]) - turned
    for start in range(0, turned.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        inner = problem.gram[:, block, block] / own[:, block, None]
        pull = (problem.gram[:, block] @ off) / own[:, block, None]
        before = turned[:, block].copy()
        for index in range(inner.shape[1]):
            column = start + index
            found = problem.levels(turned[:, column] + pull[:, index])
            if problem.frozen is not None:
                found[problem.frozen[..., column]] = 0.0
            change = found - turned[:, column]
            if np.count_nonzero(change):
                turned[:, column] = found
                pull[:, index + 1 :] -= inner[:, index + 1 :, index, None] * change[:, None]
        off[:, block] -= turned[:, block] - before
    return columns_of(turned)


def _refitted(problem: Problem, values: Array, scale: Array) -> Array:
    """The scales of least error for these values, where they are positive and allowed."""
    seen = values @ problem.gram
    norm, found = (seen * values).sum(axis=2), (seen * problem.rows).sum(axis=2)
    if problem.tied:
        norm, found = np.full_like(norm, norm.sum()), np.full_like(found, found.sum())
    fitted = found / np.where(norm > 0, norm, 1.0)
    usable = (norm > 0) & (fitted > np.finfo(np.float32).tiny)
    return np.where(usable, fitted, scale)
