"""Names to boxes and back, and search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from studio.graph.model import Facts
from studio.graph.scopes import Box, Scope
from studio.gui.graph.heat import Figures
from studio.gui.graph.query import Query
from studio.gui.graph.scene import Scene
from studio.gui.graph.state import Shown

Boxes = frozenset[int]


def node_of(facts: Facts, name: str) -> int | None:
    """Node index of a layer or node name."""
    if name in facts.by_name:
        return facts.by_name[name].node
    return facts.index_of.get(name)


def names(box: Box, facts: Facts) -> tuple[str, ...]:
    """What a box stands for: its layers, else its first node; nothing for inputs and outputs."""
    if box.layers:
        return box.layers
    return (facts.nodes[box.members[0]].name,) if box.members else ()


def seen(scene: Scene, node: int) -> bool:
    """Whether a node is shown by a card of its own."""
    box = scene.box_of.get(node)
    return box is not None and scene.diagram.boxes[box].kind == "card"


def marked(facts: Facts, scene: Scene, chosen: Iterable[str]) -> Boxes:
    """The boxes that show the layers or nodes in `chosen`."""
    nodes = (node_of(facts, name) for name in chosen)
    return frozenset(scene.box_of[node] for node in nodes if node in scene.box_of)


def partners(facts: Facts, chosen: Iterable[str]) -> tuple[str, ...]:
    """Layers that share a group of several with those in `chosen`."""
    groups = {facts.by_name[name].group for name in chosen if name in facts.by_name}
    members = (facts.group_of[group].members for group in sorted(groups) if group in facts.group_of)
    return tuple(name for each in members if len(each) > 1 for name in each)


def lit(facts: Facts | None, scene: Scene | None, chosen: Sequence[str]) -> Boxes:
    """Boxes of the layers or groups in `chosen`, and of all that move with them."""
    if facts is None or scene is None:
        return frozenset()
    layers = [name for each in chosen for name in _members(facts, each)]
    return marked(facts, scene, dict.fromkeys((*layers, *partners(facts, layers))))


def _members(facts: Facts, name: str) -> tuple[str, ...]:
    return facts.group_of[name].members if name in facts.group_of else (name,)


def changed(facts: Facts | None, scene: Scene | None, change: Mapping[str, str]) -> dict[int, str]:
    """Mark of each box: that of its nodes where they agree, else `changed`."""
    if facts is None or scene is None or not change:
        return {}
    found: dict[int, str] = {}
    for at, box in enumerate(scene.diagram.boxes):
        if box.kind in ("card", "scope"):
            marks = {change.get(facts.nodes[node].name, "") for node in box.members}
            if marks != {""}:
                found[at] = next(iter(marks)) if len(marks) == 1 else "changed"
    return found


def same_box(scene: Scene | None, old: Box) -> int | None:
    """Where a box, opened or closed, is now."""
    boxes = scene.diagram.boxes if scene is not None else ()
    return next((at for at, new in enumerate(boxes) if (new.id, new.part) == (old.id, old.part)), None)


def box_of_scope(scene: Scene | None, scope: Scope) -> int | None:
    """The frame of an opened scope, or the box of a closed one."""
    boxes = scene.diagram.boxes if scene is not None else ()
    kinds = ("frame", "scope")
    return next((at for at, box in enumerate(boxes) if box.kind in kinds and box.scope == scope), None)


def boxes(shown: Shown, query: Query) -> Boxes:
    """Boxes with a node or layer that fulfils `query`; inputs and outputs by their name."""
    facts, scene = shown.facts, shown.scene
    if facts is None or scene is None or query == Query():
        return frozenset()
    hits = _said(facts, scene, query.words) if query.words else range(len(facts.nodes))
    if query.conditions and shown.figures is not None:
        hits = _fulfilled(shown.figures, query, hits)
    found = {scene.box_of[node] for node in hits if node in scene.box_of}
    return frozenset(found | (set() if query.conditions else _terminals(scene, query.words)))


def _said(facts: Facts, scene: Scene, words: Sequence[str]) -> list[int]:
    """Nodes whose name, op, scope or card holds all words."""
    if not scene.said:
        scene.said = [f"{node.name} {node.op} {'.'.join(node.scope)}".casefold() for node in facts.nodes]
        for box in scene.diagram.boxes:
            if box.kind == "card":
                for node in box.members:
                    scene.said[node] += f" {box.title} {box.subtitle}".casefold()
    return [node for node, said in enumerate(scene.said) if all(word in said for word in words)]


def _fulfilled(figures: Figures, query: Query, nodes: Iterable[int]) -> list[int]:
    layers = {layer.node: layer.name for layer in figures.facts.layers}
    return [
        node
        for node in nodes
        if node in layers
        and all(each.holds(figures.of_layer(each.figure, layers[node])) for each in query.conditions)
    ]


def _terminals(scene: Scene, words: Sequence[str]) -> set[int]:
    return {
        at
        for at, box in enumerate(scene.diagram.boxes)
        if box.kind in ("input", "output") and all(word in box.title.casefold() for word in words)
    }
