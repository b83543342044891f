"""What is selected: by a click, with a lasso, by scope; and the group partners of it."""

from __future__ import annotations

from collections.abc import Iterable

from studio.graph.scopes import Scope
from studio.gui.graph import finding
from studio.gui.graph.state import Shown

Names = tuple[str, ...]


def picked(shown: Shown, box: int, more: bool) -> Names:
    """Names selected after a click on `box`; with `more` it joins what is selected, or leaves it."""
    names = _names(shown, (box,))
    if more and set(names) <= set(shown.names):
        return tuple(name for name in shown.names if name not in set(names))
    return tuple(dict.fromkeys((*(shown.names if more else ()), *names)))


def caught(shown: Shown, boxes: Iterable[int], more: bool) -> Names:
    """Names selected after a lasso; with `more` they join what is selected."""
    return tuple(dict.fromkeys((*(shown.names if more else ()), *_names(shown, sorted(boxes)))))


def inside(shown: Shown, scope: Scope) -> Names:
    """The layers in a scope; its nodes where it has none."""
    if shown.facts is None:
        return ()
    nodes = [node for node in shown.facts.nodes if node.scope[: len(scope)] == scope]
    box = finding.box_of_scope(shown.scene, scope)
    if not nodes and box is not None:
        return _names(shown, (box,))  # a scope that was gathered from repeats
    layers = {layer.node: layer.name for layer in shown.facts.layers}
    return tuple(layers[node.index] for node in nodes if node.index in layers) or tuple(
        node.name for node in nodes
    )


def _names(shown: Shown, boxes: Iterable[int]) -> Names:
    if shown.scene is None or shown.facts is None:
        return ()
    found = [finding.names(shown.scene.diagram.boxes[box], shown.facts) for box in boxes]
    return tuple(dict.fromkeys(name for names in found for name in names))


def mark(shown: Shown) -> None:
    """Selection and group partners as boxes of the present scene."""
    if shown.scene is None or shown.facts is None:
        shown.selected = shown.partners = frozenset()
        return
    shown.selected = finding.marked(shown.facts, shown.scene, shown.names)
    partners = finding.partners(shown.facts, shown.names)
    shown.partners = finding.marked(shown.facts, shown.scene, partners)


def stand(shown: Shown) -> None:
    """Keyboard travel goes on from a lone selection."""
    shown.current = min(shown.selected) if len(shown.selected) == 1 else None
