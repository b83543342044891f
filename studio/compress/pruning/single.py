"""Unstructured pruning of the layers that ask for it: from front to back where data is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.artifact import Refusal
from studio.compress.parts import bias_array, set_bias, set_weight, weight_array
from studio.compress.pruning.masks import Mask, magnitude_mask, pattern_mask, sparsity_of, threshold_mask
from studio.compress.pruning.refit import Moments, moments, refitted, scores
from studio.compress.pruning.rows import affordable, chunks, samples
from studio.compress.pruning.walk import Run, Walk, peak_bytes
from studio.compress.repair import patches
from studio.compress.work import Work
from studio.control import Control
from studio.graph.model import LayerFact
from studio.recipe.resolve import LayerPlan
from studio.recipe.settings import MAX_SPARSITY
from studio.stages import CalibrationSource

if TYPE_CHECKING:
    import onnx_ir as ir

Array = np.ndarray[Any, np.dtype[Any]]
WIDEST = 2304  # inputs of one output; above, moments cost more than they give
_ROWS, _MOST_ROWS = 2048, 8192
NO_CONSTANT = "its weight is not a plain float constant"


@dataclass(frozen=True)
class _Job:
    """One layer that loses single weights."""

    fact: LayerFact
    row: LayerPlan
    node: ir.Node
    weight: Array


@dataclass
class Single:
    """What became of the layers: the share of zeros set, and wishes that came to nothing."""

    sparsity: dict[str, float] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)


def prune_weights(work: Work, source: CalibrationSource | None, control: Control) -> Single:
    """Set the least important weights of every such layer of `work` to zero.

    With data the weights that stay are fitted anew, layer by layer, on what reaches them; without, or
    where the net is too large for that, the smallest go and the rest stays as it is.
    """
    told = Single()
    jobs = _jobs(work, told)
    runs = _runs(work, source, jobs)
    with _one_thread():
        if runs:
            _walked(work, jobs, runs, control, told)
        else:
            for job in jobs:
                told.sparsity[job.fact.name] = _plain(work, job, told)
    return told


def _jobs(work: Work, told: Single) -> list[_Job]:
    jobs = []
    for fact, row, node in work.layers():
        if row.structure == "unstructured":
            weight = weight_array(node)
            if weight is None:
                told.refused[fact.name] = Refusal("sparsity", f"{row.sparsity:g}", "0", NO_CONSTANT)
            else:
                jobs.append(_Job(fact, row, node, weight))
    return jobs


def _one_thread() -> Any:
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, "blas")  # sums in another order would be other bytes


def _runs(work: Work, source: CalibrationSource | None, jobs: Sequence[_Job]) -> Sequence[Run]:
    if source is None or not any(_fits(job) for job in jobs):
        return []
    runs = chunks(work.facts, source.batches(), work.plan.calibration_samples)
    return runs[: affordable(work.facts, runs, 2 * peak_bytes(work.model, work.facts))]


def _fits(job: _Job) -> bool:
    """Whether the layer's inputs can be looked at: its kind is known and its own, not too wide."""
    value = job.node.inputs[1]
    if not patches.takes(job.node, job.weight) or value is None or len(value.uses()) > 1:
        return False
    source = job.node.inputs[0]
    return patches.matrix(job.node, job.weight).shape[2] <= WIDEST and source is not None


def _walked(work: Work, jobs: Sequence[_Job], runs: Sequence[Run], control: Control, told: Single) -> None:
    from studio.graph.onnx_edge import clone

    names = [str(job.node.inputs[0].name) for job in jobs if job.node.inputs[0] is not None and _fits(job)]
    before, now = Walk(clone(work.model), runs, names), Walk(work.model, runs, names)
    for index, job in enumerate(jobs):
        control.step(index / len(jobs), f"pruning weights of {job.fact.name}")
        if _fits(job):
            seen = moments(*(_rows(job, walk, runs) for walk in (before, now)))
            told.sparsity[job.fact.name] = _fitted(work, job, seen, told)
        else:
            told.sparsity[job.fact.name] = _plain(work, job, told)


def _rows(job: _Job, walk: Walk, runs: Sequence[Run]) -> Array:
    width = patches.matrix(job.node, job.weight).shape[2]
    most = max(1, min(_MOST_ROWS, max(_ROWS, 4 * width)) // samples(runs))
    random = np.random.default_rng(0)
    values = walk.upto(str(job.node.inputs[0].name)) if job.node.inputs[0] is not None else []
    parts = [patches.rows(job.node, job.fact, run, most, random) for run in values]
    return np.concatenate(parts, axis=1)


def _mask(job: _Job, matrix: Array, importance: Array, told: Single) -> Mask:
    """Which weights (groups, outputs, inputs) stay, by what the row asks for."""
    row = job.row
    if row.pattern:
        stay, of = (int(part) for part in row.pattern.split(":"))
        inner = prod(job.weight.shape[2:])
        mask = pattern_mask(importance, stay, of, inner)
        if mask.all():
            reason = f"an output takes in {matrix.shape[2] // inner} channels, fewer than the pattern's {of}"
            told.refused[job.fact.name] = Refusal("pattern", row.pattern, "none", reason)
        return mask
    if not row.threshold:
        return magnitude_mask(importance, row.sparsity)
    mask = threshold_mask(matrix, row.threshold)
    if sparsity_of(mask) <= MAX_SPARSITY:
        return mask
    reason = f"at most {MAX_SPARSITY:.0%} of a layer's weights go"
    told.refused[job.fact.name] = Refusal("threshold", f"{row.threshold:g}", f"{MAX_SPARSITY:g}", reason)
    return magnitude_mask(matrix, MAX_SPARSITY)


def _fitted(work: Work, job: _Job, seen: Moments, told: Single) -> float:
    matrix = patches.matrix(job.node, job.weight)
    mask = _mask(job, matrix, scores(matrix, seen), told)
    weight, shift = refitted(matrix, mask, seen)
    bias = bias_array(job.node, len(shift))
    set_weight(work, job.node, patches.restored(job.node, weight, job.weight.shape))
    if job.node.op_type != "MatMul" and bias is not None:
        set_bias(work, job.node, (bias + shift).astype(np.float32))
    return sparsity_of(mask)


def _plain(work: Work, job: _Job, told: Single) -> float:
    weight = job.weight
    if not patches.takes(job.node, weight):
        flat = weight.reshape(1, len(weight), -1)
        mask = _mask(replace(job, row=replace(job.row, pattern="")), flat, np.abs(flat), told)
        set_weight(work, job.node, weight * mask.reshape(weight.shape))
        return sparsity_of(mask)
    matrix = patches.matrix(job.node, weight)
    mask = _mask(job, matrix, np.abs(matrix), told)
    set_weight(work, job.node, patches.restored(job.node, matrix * mask, weight.shape))
    return sparsity_of(mask)
