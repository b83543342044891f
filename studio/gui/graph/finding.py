"""Names to boxes and back, and search."""

from __future__ import annotations

from collections.abc import Iterable

from studio.graph.model import Facts
from studio.graph.scopes import Box
from studio.gui.graph.scene import Scene


def node_of(facts: Facts, name: str) -> int | None:
    """Node index of a layer or node name."""
    if name in facts.by_name:
        return facts.by_name[name].node
    return next((node.index for node in facts.nodes if node.name == name), None)


def names(box: Box, facts: Facts) -> tuple[str, ...]:
    """What a box stands for: its layers, else its first node; nothing for inputs and outputs."""
    if box.layers:
        return box.layers
    return (facts.nodes[box.members[0]].name,) if box.members else ()


def marked(facts: Facts, scene: Scene, chosen: Iterable[str]) -> frozenset[int]:
    """The boxes that show the layers or nodes in `chosen`."""
    found = {name: node for name in chosen if (node := _quick(facts, scene, name)) is not None}
    return frozenset(scene.box_of[node] for node in found.values() if node in scene.box_of)


def _quick(facts: Facts, scene: Scene, name: str) -> int | None:
    layer = facts.by_name.get(name)
    return layer.node if layer is not None else node_of(facts, name)


def partners(facts: Facts, chosen: Iterable[str]) -> tuple[str, ...]:
    """Layers that share a group of several with those in `chosen`."""
    groups = {facts.by_name[name].group for name in chosen if name in facts.by_name}
    members = (facts.group_of[group].members for group in sorted(groups) if group in facts.group_of)
    return tuple(name for each in members if len(each) > 1 for name in each)


def boxes(facts: Facts, scene: Scene, text: str) -> frozenset[int]:
    """Boxes whose title, op, scope or nodes hold all words of `text`, whatever the case."""
    words = text.casefold().split()
    if not words:
        return frozenset()
    if not scene.said:
        scene.said = [_said(box, facts) for box in scene.diagram.boxes]
    return frozenset(
        at
        for at, said in enumerate(scene.said)
        if all(word in said for word in words) and scene.diagram.boxes[at].kind != "frame"
    )


def _said(box: Box, facts: Facts) -> str:
    if box.kind == "frame":
        return ""
    nodes = " ".join(f"{facts.nodes[node].name} {facts.nodes[node].op}" for node in box.members)
    return f"{box.title} {box.subtitle} {box.op} {'.'.join(box.scope)} {nodes}".casefold()
