"""Structured pruning: channels that are really removed, together with everything that knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.artifact import Refusal
from studio.compress.pruning.choose import count_step, cut_count, importance, repeats, weight_index
from studio.compress.pruning.distribute import Share, distribute, limit, share
from studio.compress.pruning.eliminate import eliminate
from studio.compress.pruning.gains import output_gains
from studio.compress.pruning.rebuild import Given, Kept, look, rebuild
from studio.compress.pruning.removal import remove
from studio.compress.pruning.repair import Follower, follower
from studio.compress.pruning.rows import Run, affordable, chunks
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
    really removed; `kept` the positions that stayed, of `widths` before; `facts` the facts with the new
    weight shapes, params and bytes; `refused` tells of wishes that came to nothing."""

    facts: Facts
    sparsity: Mapping[str, float] = field(default_factory=dict)
    kept: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    widths: Mapping[str, int] = field(default_factory=dict)
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
    name. With `batches` of model inputs (arrays (N, …)) channels are chosen by each row's criterion,
    and the layers behind are rebuilt to make up for them. The same graph, plan and batches give the
    same bytes, on any number of cores; `kept` remembers what was computed for this graph and batches.
    """
    from threadpoolctl import threadpool_limits

    coupling = couple(model, {tensor.name: tensor.shape for tensor in facts.tensors})
    rows = {row.layer: row for row in plan.layers}
    wishes = [_wish(part, rows) for part in coupling.components]
    asked = [wish for wish in wishes if wish.sparsity > 0 and wish.part.blocks]
    if not asked:
        return Pruned(facts)
    runs = chunks(facts, batches, plan.calibration_samples) if batches is not None else []
    behind = _behind(coupling, [wish.part for wish in asked]) if runs else {}
    kept = kept or Kept()
    seen, most = look(model, behind, runs, kept, control.part(0.0, 0.1))
    with threadpool_limits(1, "blas"):  # sums in another order would choose other channels
        weighed = behind if any(wish.criterion == "error" for wish in asked) else {}
        gains = _gains(model, facts, weighed, runs, kept, control.part(0.1, 0.2))
        gone = _chosen(coupling, asked, facts, seen, gains, control)
    followers = [(each, seen[name]) for name, each in _followers(coupling, gone) if name in seen]
    peak = peak_bytes(model, facts)
    remove(model, coupling, gone)
    some = runs[: affordable(facts, runs, peak)]
    rebuild(model, followers, Given(some, most), kept, control.part(0.2, 1.0))
    return _told(facts, coupling, gone, asked)


class Wish(NamedTuple):
    """What is to go of a component; `shared` where that is a share of the whole net's figure."""

    part: Component
    sparsity: float
    shared: bool
    criterion: str


def _wish(part: Component, rows: Mapping[str, LayerPlan]) -> Wish:
    """The component's sparsity: the least that any of its layers asks for. Layers whose own channels
    must all stay have no say, nor have nodes that are no layers."""
    asked = [rows[name] for name in part.members if name in rows and rows[name].structure == "channels"]
    sparsity = min((row.sparsity for row in asked), default=0.0)
    shared = bool(asked) and all(row.distribute == "global" for row in asked)
    return Wish(part, sparsity, shared, asked[0].criterion if asked else "error")


def _chosen(
    coupling: Coupling,
    asked: Sequence[Wish],
    facts: Facts,
    seen: Mapping[str, Array],
    gains: Mapping[str, float],
    control: Control,
) -> Gone:
    """One flag per class: it goes."""
    gone = np.zeros(len(coupling.held), dtype=np.bool_)
    variance = {name: rows.var(axis=0, dtype=np.float64) for name, rows in seen.items()}
    shares: list[Share] = []
    for part, sparsity, shared, criterion in asked:
        control.check()
        looked = seen if criterion == "error" else {}
        static = importance(coupling, part, variance if criterion != "magnitude" else {})
        most = limit(sparsity) if shared else sparsity
        counts = [cut_count(coupling, part, block, most) for block in part.blocks]
        orders = eliminate(coupling, part, counts, looked, static, gains)
        for block, order in zip(part.blocks, orders, strict=True):
            if shared:
                shares.append(share(coupling, part, block, order, sparsity, facts))
            else:
                gone[order.classes] = True
    for each, count in zip(shares, distribute(shares), strict=True):
        gone[each.order.classes[:count]] = True
    return gone


def _gains(
    model: ir.Model,
    facts: Facts,
    behind: Mapping[str, tuple[str, int, int]],
    runs: Sequence[Run],
    kept: Kept,
    control: Control,
) -> dict[str, float]:
    """By layer behind: how much the outputs answer to errors in what it takes in."""
    tensors = list(dict.fromkeys(tensor for tensor, _, _ in behind.values()))
    missing = [tensor for tensor in tensors if tensor not in kept.gains]
    kept.gains.update(output_gains(model, facts, missing, runs, control))
    return {name: kept.gains.get(tensor, 1.0) for name, (tensor, _, _) in behind.items()}


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


def _told(facts: Facts, coupling: Coupling, gone: Gone, asked: Sequence[Wish]) -> Pruned:
    kept = {name: np.flatnonzero(~gone[coupling.class_of[ids]]) for name, ids in coupling.members.items()}
    lost = {name: 1 - len(kept[name]) / len(coupling.members[name]) for name in kept}
    sparsity = {name: share for name, share in lost.items() if share > 0}
    refused = {
        name: _refusal(wish, coupling) for wish in asked for name in wish.part.members if name not in sparsity
    }
    return Pruned(
        _refreshed(facts, coupling, gone),
        sparsity,
        {name: tuple(kept[name].tolist()) for name in sparsity},
        {name: len(coupling.members[name]) for name in sparsity},
        refused,
    )


def _refusal(wish: Wish, coupling: Coupling) -> Refusal:
    block = max(wish.part.blocks, key=len)
    step = count_step(len(block), repeats(coupling, wish.part, block))
    reason = f"channels go in steps of {step}, here {step / len(block):.1%} at a time"
    if wish.shared and cut_count(coupling, wish.part, block, wish.sparsity):
        reason = "the whole figure is met where channels cost less"
    return Refusal("sparsity", f"{wish.sparsity:g}", "0", reason)


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
