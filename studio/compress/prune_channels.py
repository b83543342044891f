"""Structured pruning: channels that are really removed, together with everything that knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from studio.artifact import Refusal
from studio.compress.prune_apply import remove
from studio.compress.prune_choose import choose, count_step, importance, weight_index
from studio.compress.prune_moments import Moments
from studio.compress.prune_repair import repair
from studio.control import Control
from studio.graph.coupling import Component, Coupling, couple
from studio.graph.coupling_trace import constant, integer
from studio.graph.model import Facts, GroupFact, LayerFact
from studio.recipe.resolve import LayerPlan, Plan
from studio.stages import Batch

if TYPE_CHECKING:
    import onnx_ir as ir
    import onnxruntime as ort

Array = np.ndarray[Any, np.dtype[Any]]
CHUNK = 16
Gone = NDArray[np.bool_]


@dataclass(frozen=True)
class Pruned:
    """What became of the layers. `sparsity` is, per layer that lost output channels, the fraction
    really removed; `kept` the positions that stayed; `facts` the facts with the new weight shapes,
    params and bytes; `refused` tells of wishes that came to nothing."""

    facts: Facts
    sparsity: Mapping[str, float] = field(default_factory=dict)
    kept: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    refused: Mapping[str, Refusal] = field(default_factory=dict)


def prune_channels(
    model: ir.Model, facts: Facts, plan: Plan, control: Control, batches: Iterable[Batch] | None = None
) -> Pruned:
    """Remove channels from `model`, in place, as the rows of `plan` with structure "channels" ask.

    Works on the graph as it stands (before or after BatchNorm is folded); layers are found by node
    name. With `batches` of model inputs (arrays (N, …)) channels are chosen by how much they vary,
    and what they contributed is moved into kept weights and biases of the layers behind. The same
    graph, plan and batches give the same bytes.
    """
    coupling = couple(model, {tensor.name: tensor.shape for tensor in facts.tensors})
    rows = {row.layer: row for row in plan.layers}
    wishes = [(part, _wish(part, rows)) for part in coupling.components]
    asked = [(part, sparsity) for part, sparsity in wishes if sparsity > 0 and part.blocks]
    if not asked:
        return Pruned(facts)
    moments = _moments(model, coupling, [part for part, _ in asked], plan, control, batches)
    gone = np.zeros(len(coupling.held), dtype=np.bool_)
    for index, (part, sparsity) in enumerate(asked):
        control.step(index / len(asked), f"choosing channels of {part.members[0]}")
        gone[choose(part, sparsity, importance(coupling, part, moments))] = True
    cuts = repair(model, coupling, gone, moments)
    remove(model, coupling, gone, cuts)
    return _told(facts, coupling, gone, asked)


def _wish(part: Component, rows: Mapping[str, LayerPlan]) -> float:
    """The component's sparsity: the least that any of its layers asks for. Layers whose own channels
    must all stay have no say, nor have nodes that are no layers."""
    asked = [
        rows[name].sparsity for name in part.members if name in rows and rows[name].structure == "channels"
    ]
    return min(asked, default=0.0)


def _moments(
    model: ir.Model,
    coupling: Coupling,
    parts: Iterable[Component],
    plan: Plan,
    control: Control,
    batches: Iterable[Batch] | None,
) -> dict[str, Moments]:
    """Statistics of what the followers of `parts` take in, by follower; {} without data."""
    wanted: dict[str, ir.Value] = {}
    for name in (name for part in parts for name in part.followers):
        node = coupling.nodes[name]
        value = node.inputs[1 - weight_index(node)]
        if value is not None and value.name:
            wanted[name] = value
    if batches is None or not wanted:
        return {}
    seen = {str(value.name): _empty(coupling, name, value) for name, value in wanted.items()}
    session = _session(model, set(seen))
    for count, tensors in enumerate(_runs(session, batches, plan.calibration_samples)):
        control.step(min(1.0, count * CHUNK / plan.calibration_samples), "looking at channels")
        for tensor, moments in seen.items():
            moments.add(tensors[tensor])
    return {name: seen[str(value.name)] for name, value in wanted.items() if seen[str(value.name)].count}


def _empty(coupling: Coupling, name: str, value: ir.Value) -> Moments:
    ids = coupling.followers[name]
    label = coupling.labels[value]
    axis = next(axis for axis, each in enumerate(label) if each is ids)
    return Moments(len(ids), axis)


def _session(model: ir.Model, names: set[str]) -> ort.InferenceSession:
    from studio.compress.calibrate import session_with

    return session_with(model, sorted(names))


def _runs(session: ort.InferenceSession, batches: Iterable[Batch], limit: int) -> Iterator[dict[str, Array]]:
    """The session's outputs, by name, for chunks of at most CHUNK samples, `limit` samples in all."""
    names = [output.name for output in session.get_outputs()]
    taken = 0
    for feeds in _chunks(session, batches):
        if taken >= limit:
            return
        taken += max(len(array) for array in feeds.values())
        yield dict(zip(names, (np.asarray(out) for out in session.run(names, feeds)), strict=True))


def _chunks(session: ort.InferenceSession, batches: Iterable[Batch]) -> Iterator[dict[str, Array]]:
    inputs = session.get_inputs()
    fixed = [each.shape[0] for each in inputs if each.shape and isinstance(each.shape[0], int)]
    most = fixed[0] if fixed else CHUNK
    for batch in batches:
        feeds = {each.name: batch[each.name] for each in inputs}
        size = max(len(array) for array in feeds.values())
        for start in range(0, size - most + 1 if fixed else size, most):
            yield {name: array[start : start + most] for name, array in feeds.items()}


def _told(facts: Facts, coupling: Coupling, gone: Gone, asked: list[tuple[Component, float]]) -> Pruned:
    kept = {name: np.flatnonzero(~gone[coupling.class_of[ids]]) for name, ids in coupling.members.items()}
    lost = {name: 1 - len(kept[name]) / len(coupling.members[name]) for name in kept}
    sparsity = {name: share for name, share in lost.items() if share > 0}
    refused = {
        name: _refusal(sparsity_asked, part)
        for part, sparsity_asked in asked
        for name in part.members
        if name not in sparsity
    }
    return Pruned(
        _refreshed(facts, coupling, gone),
        sparsity,
        {name: tuple(kept[name].tolist()) for name in sparsity},
        refused,
    )


def _refusal(asked: float, part: Component) -> Refusal:
    width = max(len(block) for block in part.blocks)
    least = count_step(width) / width
    reason = f"channels go in steps of {count_step(width)}, here {least:.1%} at a time"
    return Refusal("sparsity", f"{asked:g}", "0", reason)


def _refreshed(facts: Facts, coupling: Coupling, gone: Gone) -> Facts:
    layers = tuple(
        _layer(layer, coupling.nodes[layer.name]) if layer.name in coupling.nodes else layer
        for layer in facts.layers
    )
    part_of = {name: part for part in coupling.components for name in part.members}
    groups = tuple(_group(group, part_of.get(group.members[0]), gone) for group in facts.groups)
    return replace(facts, layers=layers, groups=groups)


def _layer(layer: LayerFact, node: ir.Node) -> LayerFact:
    """The layer with the weight that its node has now; MACs scale with the weight."""
    tensor = constant(node.inputs[weight_index(node)])
    if tensor is None:
        return layer
    shape = tuple(int(dim) for dim in tensor.shape.numpy())
    params = prod(shape)
    macs = None if layer.macs is None else layer.macs * params // max(layer.params, 1)
    groups = integer(node, "group", 1)
    nbytes = layer.bytes * params // max(layer.params, 1)
    return replace(layer, weight_shape=shape, groups=groups, params=params, bytes=nbytes, macs=macs)


def _group(group: GroupFact, part: Component | None, gone: Gone) -> GroupFact:
    return group if part is None else replace(group, channels=int((~gone[part.classes]).sum()))
