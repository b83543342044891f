"""Which output channels can be removed, which only together, and what must be edited when they go.

Exact, never optimistic: channels are followed position by position from the layer that makes them
to every constant that knows of them; whatever is not understood keeps them in place, with a reason.
The idea is the dependency graph of structured pruning (Fang et al., "DepGraph", CVPR 2023), solved
here at the level of single channels by one connected-components pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.graph.coupling.rules import follow
from studio.graph.coupling.trace import Edit, Ids, Label, Trace
from studio.graph.model import Shape
from studio.graph.names import unique_names

if TYPE_CHECKING:
    import onnx_ir as ir


@dataclass(frozen=True)
class Component:
    """Layers whose channels hang together. `classes` are their coupled channels, in order.

    `blocks` are the removable classes, split so that all classes of a block occur in the same
    layers and tensors: counts are rounded, and at least one is kept, per block. `why_not` is the
    first reason that keeps a class in place ("" where there is none).
    """

    members: tuple[str, ...]
    followers: tuple[str, ...]
    classes: Ids
    blocks: tuple[Ids, ...]
    why_not: str


@dataclass(frozen=True)
class Coupling:
    """All that removing channels needs to know. Atoms are output channels, `class_of` maps them to
    classes of channels that go together; `members` and `followers` give, by layer name, the atoms
    of a layer's output channels and of its input channels. `held` is, per class, the index into
    `reasons` of what keeps it in place, -1 where it may go."""

    class_of: Ids
    members: Mapping[str, Ids]
    followers: Mapping[str, Ids]
    nodes: Mapping[str, ir.Node]
    components: tuple[Component, ...]
    edits: tuple[Edit, ...]
    labels: Mapping[ir.Value, Label]
    held: Ids
    reasons: tuple[str, ...]

    def why_held(self, layer: str) -> str:
        """Why none of the layer's output channels can go; "" where some can."""
        held = self.held[self.class_of[self.members[layer]]]
        return self.reasons[int(held.min())] if len(held) and int(held.min()) >= 0 else ""


def couple(model: ir.Model, shapes: Mapping[str, Shape | None] | None = None) -> Coupling:
    """Follow every channel through the main graph.

    `shapes` gives tensor shapes by name where the graph itself states none. Nodes are called by
    their `unique_names`. The graph must be topologically sorted; it is not changed.
    """
    nodes = list(model.graph)
    trace = Trace(shapes or {}, model.graph.opset_imports.get("", 1))
    for node in nodes:
        follow(trace, node)
    for value in model.graph.outputs:
        trace.freeze_value(value, f"they are the model's output `{value.name}`")
    names = dict(zip(nodes, unique_names(nodes), strict=True))
    return _solve(trace, names)


def _solve(trace: Trace, names: Mapping[ir.Node, str]) -> Coupling:
    class_of = _classes(trace)
    held = _held(trace, class_of)
    members = {names[node]: ids for node, ids in trace.members.items()}
    followers = {names[node]: ids for node, ids in trace.followers.items()}
    marks = _marks((*trace.members.values(), *trace.followers.values(), *trace.taps), class_of, len(held))
    reasons = tuple(reason for _, reason in trace.frozen)
    layers = _connected(members, class_of)
    behind = _behind(layers, members, followers, class_of, len(held))
    components = tuple(
        _component(each, after, members, class_of, marks, held, reasons)
        for each, after in zip(layers, behind, strict=True)
    )
    nodes = {names[node]: node for node in trace.members}
    return Coupling(
        class_of, members, followers, nodes, components, tuple(trace.edits), trace.labels, held, reasons
    )


def _classes(trace: Trace) -> Ids:
    """The class of each atom: connected components under all joins, numbered by first atom."""
    if not trace.edges:
        return np.arange(trace.atoms, dtype=np.int64)
    left = np.concatenate([first for first, _ in trace.edges])
    right = np.concatenate([second for _, second in trace.edges])
    return _components(left, right, trace.atoms)


def _components(left: Ids, right: Ids, count: int) -> Ids:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    links = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    labels = connected_components(links, directed=False)[1]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(-1)]


def _held(trace: Trace, class_of: Ids) -> Ids:
    """Per class the index of the first reason that freezes it, -1 where it is free."""
    count = int(class_of.max()) + 1 if len(class_of) else 0
    held = np.full(count, -1, dtype=np.int64)
    for index in range(len(trace.frozen) - 1, -1, -1):
        held[class_of[trace.frozen[index][0]]] = index
    return held


def _marks(places: Iterable[Ids], class_of: Ids, count: int) -> NDArray[np.uint64]:
    """A fingerprint per class of all layers and tensors that it occurs in, with how often."""
    random = np.random.default_rng(0)
    marks = np.zeros(count, dtype=np.uint64)
    for ids in places:
        np.add.at(marks, class_of[ids], random.integers(1, 1 << 63, dtype=np.uint64))
    return marks


def _connected(members: Mapping[str, Ids], class_of: Ids) -> list[list[str]]:
    """Layers that share a class, transitively; in graph order."""
    names = list(members)
    if not names:
        return []
    sizes = [len(ids) for ids in members.values()]
    layer = np.repeat(np.arange(len(names), dtype=np.int64), sizes)
    classes = class_of[np.concatenate(list(members.values()))] + len(names)
    labels = _components(layer, classes, len(names) + int(class_of.max()) + 1)[: len(names)]
    found: dict[int, list[str]] = {}
    for name, label in zip(names, labels.tolist(), strict=True):
        found.setdefault(label, []).append(name)
    return list(found.values())


def _behind(
    layers: list[list[str]],
    members: Mapping[str, Ids],
    followers: Mapping[str, Ids],
    class_of: Ids,
    count: int,
) -> list[list[str]]:
    """Per component the layers whose input channels it makes; in graph order."""
    component_of = np.full(count, -1, dtype=np.int64)
    for index, names in enumerate(layers):
        for name in names:
            component_of[class_of[members[name]]] = index
    behind: list[list[str]] = [[] for _ in layers]
    for name, ids in followers.items():
        for index in set(component_of[class_of[ids]].tolist()) - {-1}:
            behind[index].append(name)
    return behind


def _component(
    layers: list[str],
    behind: list[str],
    members: Mapping[str, Ids],
    class_of: Ids,
    marks: NDArray[np.uint64],
    held: Ids,
    reasons: tuple[str, ...],
) -> Component:
    classes = np.unique(np.concatenate([class_of[members[name]] for name in layers]))
    why = held[classes]
    first = int(why[why >= 0].min()) if (why >= 0).any() else -1
    blocks = _blocks(classes[why < 0], marks)
    return Component(tuple(layers), tuple(behind), classes, blocks, reasons[first] if first >= 0 else "")


def _blocks(free: Ids, marks: NDArray[np.uint64]) -> tuple[Ids, ...]:
    """Classes of one fingerprint together; a class alone is the last of its kind and stays."""
    _, kind = np.unique(marks[free], return_inverse=True)
    found = [free[kind == each] for each in range(int(kind.max()) + 1)] if len(free) else []
    return tuple(sorted((block for block in found if len(block) > 1), key=lambda block: int(block[0])))
