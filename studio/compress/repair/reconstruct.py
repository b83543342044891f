"""Layer after layer, on what really reaches it once the layers in front are rounded: round, then correct.

Each layer's weights are rounded in second order for its rounded inputs (see `rounding`), aimed at what the
float net gives there, so that errors of the layers in front are made up for as far as they can be. Then
the mean error left on each channel goes into the bias: the full form of bias correction
(Nagel et al. 2019), which sees the errors of all layers in front. What does worse than plain rounding on
samples that were held back is not taken.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.compress.calibration.ranges import Range
from studio.compress.levels.weights import Levels, uniform
from studio.compress.parts import weight_array
from studio.compress.pruning.rows import affordable, chunks
from studio.compress.pruning.walk import peak_bytes
from studio.compress.repair import patches
from studio.compress.repair.bias import Shift, note_shifts
from studio.compress.repair.rounding import Problem, best_rounding, order_of, second_order
from studio.compress.repair.sides import Shelf
from studio.compress.repair.twins import Rows, Twins, output, shift
from studio.compress.work import Array, Work
from studio.control import Control
from studio.stages import CalibrationSource

if TYPE_CHECKING:
    import onnx_ir as ir

NARROW = 7  # bits from which on down rounding is learned
_DAMP = 0.03  # of the mean moment, on every weight's own: keeps the inverse stable
_PULL = 0.1  # the same, pulling the aim towards the weights as they were
_TINY = 1e-12
TOO_LARGE = (
    "weights are rounded to the nearest level: the net is too large to learn better in reasonable time"
)


@dataclass(frozen=True)
class Settled:
    """What becomes of a layer: its levels, the decibels won on rows held back, and the shift of its bias."""

    levels: Levels
    gain: float
    shift: Shift | None


def wanted(work: Work) -> bool:
    """Whether any layer is narrow enough for learned rounding to pay."""
    return any(row.bits <= NARROW for row in work.rows.values())


def reconstruct(
    work: Work,
    levels: Mapping[str, Levels],
    ranges: Mapping[str, Range],
    source: CalibrationSource,
    cache: MutableMapping[str, Any],
    control: Control,
) -> dict[str, Levels]:
    """New levels for the layers that could be looked at, by name; their biases are corrected.

    Samples are as many as 10^12 multiply-accumulates and 1 GiB of tensors allow; none where the net is
    too large for the fewest that are of use, which the notes then say. `cache` keeps what became of
    each layer by all that it comes from, and what the walks saw: they go on from the first layer that
    something changed for.
    """
    runs = chunks(work.facts, source.batches(), work.plan.calibration_samples)
    runs = runs[: affordable(work.facts, runs, 2 * peak_bytes(work.model, work.facts))]
    if not runs:
        work.notes.append(TOO_LARGE)
        return {}
    from threadpoolctl import threadpool_limits

    said = f"{source.key}:{work.plan.calibration_samples}"
    shelf = cache.setdefault("walks", Shelf())
    twins = Twins(work, levels, ranges, [dict(run) for run in runs], said, shelf)
    found: dict[str, Settled] = {}
    with threadpool_limits(1, "blas"):  # sums in one order: the same bytes on any number of cores
        for index, (fact, _) in enumerate(twins.layers):
            control.step(index / len(twins.layers), f"rounding {fact.name}")
            key = f"round:{twins.keys[index]}"
            if key not in cache:
                cache[key] = _settled(twins, index, levels[fact.name])
            found[fact.name] = cache[key]
            twins.settle(index, found[fact.name].levels, found[fact.name].shift)
    gains = [each.gain for each in found.values() if each.gain]
    work.gained(f"rounding learned for {len(gains)} layers", gains)
    note_shifts(work, [each.shift for each in found.values() if each.shift is not None])
    return {name: each.levels for name, each in found.items()}


def _settled(twins: Twins, index: int, levels: Levels) -> Settled:
    """8 bits, zero points and shared weights keep their levels."""
    fact, node = twins.layers[index]
    rows = twins.rows(index)
    shared = node.inputs[1] is None or len(node.inputs[1].uses()) > 1
    found, gain = levels, 0.0
    if levels.bits <= NARROW and not shared and levels.zero is None:
        found, gain = _rounded(node, rows, levels)
    return Settled(found, gain, shift(fact, node, found, rows))


def _rounded(node: ir.Node, rows: Rows, levels: Levels) -> tuple[Levels, float]:
    """The levels with less error on the rows held back, the learned ones or those given, and the decibels."""
    weight = weight_array(node)
    assert weight is not None
    found = _learned(node, rows, levels, weight)
    given, rounded = rows.part(held=True)
    if not given.shape[1]:
        return found, 0.0
    aim = output(node, weight, given)
    errors = []
    for each in (levels, found):
        off = output(node, each.dequantized(), rounded) - aim
        errors.append(float(np.square(_centred(node, off)).sum(dtype=np.float64)))
    if errors[1] >= errors[0]:
        return levels, 0.0
    return found, 10 * float(np.log10(errors[0] / max(errors[1], _TINY * errors[0])))


def _learned(node: ir.Node, rows: Rows, levels: Levels, weight: Array) -> Levels:
    plain = patches.matrix(node, weight)
    aimed, gram = _aim(node, rows, plain)
    problem = Problem(
        rows=aimed,
        gram=gram,
        table=uniform(8) if levels.table is None else levels.table,
        frozen=plain == 0 if (levels.values[weight == 0] == 0).all() and (weight == 0).any() else None,
        tied=levels.scale.size < plain.shape[0] * plain.shape[1],
    )
    if levels.block:  # scales stay: blocks are short, and theirs fit closely
        steps = patches.matrix(node, np.repeat(levels.scale, levels.block, axis=0))
        values, kept = second_order(problem, order_of(gram), steps).astype(np.int8), levels.scale
    else:
        channels = np.broadcast_to(levels.scale, (plain.shape[0] * plain.shape[1],)).reshape(plain.shape[:2])
        values, scale, _ = best_rounding(problem, patches.matrix(node, levels.values), channels)
        kept = scale.reshape(-1)[: levels.scale.size].astype(np.float32)
    return replace(levels, values=patches.restored(node, values, weight.shape), scale=kept)


def _aim(node: ir.Node, rows: Rows, plain: Array) -> tuple[Array, Array]:
    """The weights (G, O, K) that would give what the float net gives, from the layer's rounded inputs, and
    the moments (G, K, K) of these, damped."""
    given, rounded = (_centred(node, each) for each in rows.part(held=False))
    places = max(1, given.shape[1])
    gram = rounded.swapaxes(1, 2) @ rounded / places
    cross = (plain @ given.swapaxes(1, 2)) @ rounded / places  # outputs are few: cheaper than moments
    unit = np.maximum(np.einsum("gkk->gk", gram).mean(axis=1), _TINY).astype(np.float32)[:, None]
    cross += _PULL * unit[..., None] * plain
    aimed = _solved(_damped(gram, _PULL * unit), cross.swapaxes(1, 2)).swapaxes(1, 2)
    return np.ascontiguousarray(aimed, np.float32), _damped(gram, _DAMP * unit)


def _damped(gram: Array, unit: Array) -> Array:
    """`gram` (G, K, K) with `unit` (G, 1) on top of its diagonals."""
    found = gram.copy()
    np.einsum("gkk->gk", found)[:] += unit
    return found


def _solved(gram: Array, sides: Array) -> Array:
    """X with gram · X = sides, group by group, for positive definite `gram` (G, K, K)."""
    from scipy.linalg import lapack

    found = np.empty(sides.shape, np.float32)
    for index, (matrix, side) in enumerate(zip(gram, sides, strict=True)):
        _, found[index], failed = lapack.sposv(matrix.T, side, lower=1)
        if failed:  # float32 cannot tell that it is definite
            found[index] = np.linalg.solve(matrix, side)
    return found


def _centred(node: ir.Node, rows: Array) -> Array:
    """Without the mean, where a bias will take that in."""
    return rows if node.op_type == "MatMul" else rows - rows.mean(axis=1, keepdims=True)
