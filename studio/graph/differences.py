"""What an optimized graph has lost, gained and kept of the original: matched by the names of nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from studio.graph.cards import common
from studio.graph.model import Facts, NodeFact

REMOVED, INSERTED, CHANGED = "removed", "inserted", "changed"


@dataclass(frozen=True, slots=True)
class Differences:
    """Node names of two graphs. `optimized` are the facts of the second one, whose inserted nodes have
    taken on the scopes of what they stand before, so that they are drawn there.
    """

    optimized: Facts
    removed: tuple[str, ...]
    inserted: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def in_original(self) -> dict[str, str]:
        """Mark of each node of the original that is not the same in the optimized graph."""
        return dict.fromkeys(self.removed, REMOVED) | dict.fromkeys(self.changed, CHANGED)

    @property
    def in_optimized(self) -> dict[str, str]:
        """Mark of each node of the optimized graph that is not the same in the original."""
        return dict.fromkeys(self.inserted, INSERTED) | dict.fromkeys(self.changed, CHANGED)


def between(original: Facts, optimized: Facts) -> Differences:
    """Hold two graphs against each other. A node is `changed` where its op, its constants, its
    attributes or the width of its weights differ; what feeds it does not count.
    """
    before, after = original.index_of, optimized.index_of
    changed = [name for name in before if name in after and _changed(original, optimized, name)]
    inserted = tuple(name for name in after if name not in before)
    placed = replace(optimized, nodes=_placed(optimized, frozenset(inserted)))
    return Differences(placed, tuple(name for name in before if name not in after), inserted, tuple(changed))


def _changed(original: Facts, optimized: Facts, name: str) -> bool:
    one, other = original.nodes[original.index_of[name]], optimized.nodes[optimized.index_of[name]]
    same = (one.op, one.params, one.bytes, one.attributes) == (
        other.op,
        other.params,
        other.bytes,
        other.attributes,
    )
    return not same or _width(original, name) != _width(optimized, name)


def _width(facts: Facts, name: str) -> int:
    return facts.by_name[name].bits if name in facts.by_name else 0


def _placed(facts: Facts, inserted: frozenset[str]) -> tuple[NodeFact, ...]:
    """Nodes; inserted ones without a scope get that of what they feed, last ones first."""
    nodes = list(facts.nodes)
    readers: dict[str, list[int]] = {}
    for node in facts.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node.index)
    for node in reversed(facts.nodes):
        if node.name in inserted and not node.scope:
            fed = [nodes[at].scope for name in node.outputs for at in readers.get(name, ())]
            nodes[node.index] = replace(node, scope=common(fed))
    return tuple(nodes)
