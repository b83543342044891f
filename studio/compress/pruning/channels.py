"""Structured pruning: channels that are really removed, together with everything that knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from studio.artifact import Refusal
from studio.compress.pruning.choose import choose, count_step, importance, repeats, weight_index
from studio.compress.pruning.rebuild import Given, Kept, look, rebuild
from studio.compress.pruning.removal import remove
from studio.compress.pruning.repair import Follower, follower
from studio.compress.pruning.rows import affordable, chunks
from studio.compress.pruning.walk import peak_bytes
from studio.control import Control
from studio.errors import BuildError
from studio.graph.coupling.couple import Component, Coupling, couple
from studio.graph.coupling.trace import constant, integer
from studio.graph.model import Facts, GroupFact, LayerFact
from studio.recipe.resolve import LayerPlan, Plan
from studio.stages import Batch

if TYPE_CHECKING:
    import onnx_ir as ir

Array = np.ndarray[Any, np.dtype[Any]]
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
    model: ir.Model,
    facts: Facts,
    plan: Plan,
    control: Control,
    batches: Iterable[Batch] | None = None,
    kept: Kept | None = None,
) -> Pruned:
    """Remove channels from `model`, in place, as the rows of `plan` with structure "channels" ask.

    Works on the graph as it stands (before or after BatchNorm is folded); layers are found by node
    name. With `batches` of model inputs (arrays (N, …)) channels are chosen by how much they vary,
    and the layers behind are rebuilt to make up for them. The same graph, plan and batches give the
    same bytes, on any number of cores; `kept` remembers what was computed for this graph and batches.
    """
    coupling = couple(model, {tensor.name: tensor.shape for tensor in facts.tensors})
    rows = {row.layer: row for row in plan.layers}
    wishes = [(part, _wish(part, rows)) for part in coupling.components]
    asked = [(part, sparsity) for part, sparsity in wishes if sparsity > 0 and part.blocks]
    if not asked:
        return Pruned(facts)
    runs = chunks(facts, batches, plan.calibration_samples) if batches is not None else []
    behind = _behind(coupling, [part for part, _ in asked]) if runs else {}
    kept = kept or Kept()
    seen, most = look(model, behind, runs, kept, control.part(0.0, 0.2))
    gone = np.zeros(len(coupling.held), dtype=np.bool_)
    variance = {name: rows.var(axis=0, dtype=np.float64) for name, rows in seen.items()}
    for part, sparsity in asked:
        control.check()
        gone[choose(coupling, part, sparsity, importance(coupling, part, variance))] = True
    followers = [(each, seen[name]) for name, each in _followers(coupling, gone) if name in seen]
    peak = peak_bytes(model, facts)
    remove(model, coupling, gone)
    some = runs[: affordable(facts, runs, peak)]
    rebuild(model, followers, Given(some, most), kept, control.part(0.2, 1.0))
    return _told(facts, coupling, gone, asked)


def _wish(part: Component, rows: Mapping[str, LayerPlan]) -> float:
    """The component's sparsity: the least that any of its layers asks for. Layers whose own channels
    must all stay have no say, nor have nodes that are no layers."""
    asked = [
        rows[name].sparsity for name in part.members if name in rows and rows[name].structure == "channels"
    ]
    return min(asked, default=0.0)


def _behind(coupling: Coupling, parts: Iterable[Component]) -> dict[str, tuple[str, int, int]]:
    """By layer that takes channels of `parts`: the tensor it takes, their axis there, and their number."""
    names = dict.fromkeys(name for part in parts for name in part.followers)
    return {
        name: (str(_taken(coupling, name).name), _axis(coupling, name), len(coupling.followers[name]))
        for name in names
    }


def _taken(coupling: Coupling, name: str) -> ir.Value:
    """The data tensor that a follower takes in."""
    node = coupling.nodes[name]
    value = node.inputs[1 - weight_index(node)]
    if value is None:
        raise BuildError(name, "has no data input", "Check the model with onnx.checker.")
    return value


def _axis(coupling: Coupling, name: str) -> int:
    label = coupling.labels[_taken(coupling, name)]
    return next(axis for axis, ids in enumerate(label) if ids is coupling.followers[name])


def _followers(coupling: Coupling, gone: Gone) -> Iterator[tuple[str, Follower]]:
    """The layers that lose input channels and can make up for them, by name, in graph order."""
    for name, ids in coupling.followers.items():
        keep = ~gone[coupling.class_of[ids]]
        keep_out = ~gone[coupling.class_of[coupling.members[name]]]
        tensor = str(_taken(coupling, name).name)
        if not keep.all():
            stamp = _stamp(coupling, name, gone)
            found = follower(coupling.nodes[name], tensor, _axis(coupling, name), keep, keep_out, stamp)
            if found is not None:
                yield name, found


def _stamp(coupling: Coupling, name: str, gone: Gone) -> str:
    """Names what was removed in front of the layer, and of its input."""
    first = int(coupling.members[name].min())
    digest = sha256(name.encode() + gone[coupling.class_of[:first]].tobytes())
    digest.update(gone[coupling.class_of[coupling.followers[name]]].tobytes())
    return digest.hexdigest()


def _told(facts: Facts, coupling: Coupling, gone: Gone, asked: list[tuple[Component, float]]) -> Pruned:
    kept = {name: np.flatnonzero(~gone[coupling.class_of[ids]]) for name, ids in coupling.members.items()}
    lost = {name: 1 - len(kept[name]) / len(coupling.members[name]) for name in kept}
    sparsity = {name: share for name, share in lost.items() if share > 0}
    refused = {
        name: _refusal(sparsity_asked, coupling, part)
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


def _refusal(asked: float, coupling: Coupling, part: Component) -> Refusal:
    block = max(part.blocks, key=len)
    step = count_step(len(block), repeats(coupling, part, block))
    reason = f"channels go in steps of {step}, here {step / len(block):.1%} at a time"
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
