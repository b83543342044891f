"""The graph at a chosen depth: name scopes collapse into boxes, opened ones frame their content.

A scope whose parts are used at different times (its box would feed itself) is split into several
boxes, so that a diagram is never cyclic where the graph is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from studio.graph import scope_repeat, scope_split
from studio.graph.cards import Card, common, fuse
from studio.graph.model import Facts

Scope = tuple[str, ...]
DEEPEST = 24
FEWEST, MOST = 12, 64


@dataclass(frozen=True, slots=True)
class Box:
    """One box of a diagram. `kind` is `card`, `scope` (collapsed), `frame` (opened), `input` or `output`.

    `parent` is the index of the frame around it, -1 at the outside. `members` are node indices,
    `layers` the names of the layers among them. `part` numbers the pieces of a split scope.
    """

    id: str
    kind: str
    title: str
    subtitle: str
    op: str
    parent: int
    scope: Scope
    members: tuple[int, ...]
    layers: tuple[str, ...]
    fused: tuple[str, ...] = ()
    part: int = 0


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes, frames before what is in them, and edges between boxes that are no frames."""

    boxes: tuple[Box, ...]
    edges: tuple[tuple[int, int], ...]

    @property
    def shown(self) -> int:
        """Boxes that stand for something themselves: all but the frames."""
        return sum(box.kind != "frame" for box in self.boxes)


@dataclass(slots=True)
class _Item:
    """A card, or a scope with the cards in it."""

    cards: list[int]
    scope: Scope = ()
    part: int = 0
    single: bool = False


@dataclass(slots=True)
class _Building:
    boxes: list[Box] = field(default_factory=list)
    box_of: dict[int, int] = field(default_factory=dict)


class Outline:
    """Cards and scopes of one model, worked out once; `view` is then quick."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.cards = fuse(facts)
        self._card_of = {member: at for at, card in enumerate(self.cards) for member in card.members}
        self._after = self._links()
        self._scope = scope_repeat.scopes(self.cards, self._after, DEEPEST)

    def view(self, expanded: frozenset[Scope] = frozenset()) -> Diagram:
        """The diagram with the scopes in `expanded` opened."""
        building = _Building()
        self._inputs(building)
        self._fill(building, list(range(len(self.cards))), (), expanded, -1)
        self._outputs(building)
        return Diagram(tuple(building.boxes), self._edges(building))

    def initial(self) -> frozenset[Scope]:
        """Scopes to open at first, so that roughly 15 to 80 boxes are shown."""
        opened: set[Scope] = set()
        level = self._scopes_in(list(range(len(self.cards))), ())
        shown = len(self._items(list(range(len(self.cards))), ()))
        while level:
            weighty = [item for item in level if any(self.cards[at].layer for at in item.cards)]
            grown = {item.scope: self._items(item.cards, item.scope) for item in weighty}
            more = sum(len(items) - 1 for items in grown.values())
            if shown + more > MOST:
                opened |= self._some(grown, shown)
                break
            shown += more
            opened |= set(grown)
            level = [item for items in grown.values() for item in items if not item.single]
        return frozenset(opened)

    def all_scopes(self) -> frozenset[Scope]:
        """Every scope that can be opened."""
        found: set[Scope] = set()
        level = self._scopes_in(list(range(len(self.cards))), ())
        while level:
            found |= {item.scope for item in level}
            level = [inner for item in level for inner in self._scopes_in(item.cards, item.scope)]
        return frozenset(found)

    def holding(self, node: int) -> tuple[Scope, ...]:
        """The scopes around a node, outermost first: open these to see its card."""
        card, found = self._card_of[node], list[Scope]()
        cards, scope = list(range(len(self.cards))), Scope()
        while True:
            item = next(item for item in self._items(cards, scope) if card in item.cards)
            if item.single:
                return tuple(found)
            found.append(item.scope)
            cards, scope = item.cards, item.scope

    def _some(self, grown: dict[Scope, list[_Item]], shown: int) -> set[Scope]:
        """The smallest scopes of a level that still fit while there is too little to see."""
        opened: set[Scope] = set()
        for scope, items in sorted(grown.items(), key=lambda each: len(each[1])):
            if shown >= FEWEST or shown + len(items) - 1 > MOST:
                break
            opened.add(scope)
            shown += len(items) - 1
        return opened

    def _links(self) -> list[list[int]]:
        after: list[dict[int, None]] = [{} for _ in self.cards]
        for source, end in self.facts.edges:
            a, b = self._card_of[source], self._card_of[end]
            if a != b:
                after[a][b] = None
        return [list(ends) for ends in after]

    def _scopes_in(self, cards: list[int], scope: Scope) -> list[_Item]:
        return [item for item in self._items(cards, scope) if not item.single]

    def _items(self, cards: list[int], scope: Scope) -> list[_Item]:
        """What is directly inside `scope`, given the cards in it."""
        depth = len(scope)
        groups: dict[object, list[int]] = {}
        for at in cards:
            path = self._scope[at]
            groups.setdefault(path[: depth + 1] if len(path) > depth else at, []).append(at)
        items = []
        for members in groups.values():
            inner = common([self._scope[at] for at in members])
            items.append(_Item(members, inner, single=len(members) == 1))
        return items

    def _split(self, items: list[_Item]) -> list[_Item]:
        parts = scope_split.acyclic([item.cards for item in items], self._after)
        made = []
        for item, pieces in zip(items, parts, strict=True):
            for number, piece in enumerate(pieces):
                part = number + 1 if len(pieces) > 1 else 0
                made.append(_Item(piece, item.scope, part, single=len(piece) == 1))
        return sorted(made, key=lambda item: item.cards[0])

    def _fill(
        self, building: _Building, cards: list[int], scope: Scope, expanded: frozenset[Scope], parent: int
    ) -> None:
        for item in self._split(self._items(cards, scope)):
            here = len(building.boxes)
            if item.single:
                building.boxes.append(self._card_box(self.cards[item.cards[0]], parent))
            elif item.scope in expanded:
                building.boxes.append(self._scope_box(item, scope, parent, "frame"))
                self._fill(building, item.cards, item.scope, expanded, here)
                continue
            else:
                building.boxes.append(self._scope_box(item, scope, parent, "scope"))
            building.box_of.update(dict.fromkeys(item.cards, here))

    def _card_box(self, card: Card, parent: int) -> Box:
        layers = (card.layer,) if card.layer else ()
        return Box(
            f"card:{card.id}", "card", card.title, card.subtitle, card.op, parent, card.scope,
            card.members, layers, card.fused,
        )  # fmt: skip

    def _scope_box(self, item: _Item, outer: Scope, parent: int, kind: str) -> Box:
        inner = [self.cards[at] for at in item.cards]
        members = tuple(node for card in inner for node in card.members)
        layers = tuple(card.layer for card in inner if card.layer)
        name = ".".join(item.scope[len(outer) :]) or item.scope[-1]
        real = [part for part in outer if not scope_repeat.gathered(part)]
        if name[0].isdigit() and real:
            name = f"{real[-1]}.{name}"
        part = f" ({item.part})" if item.part else ""
        return Box(
            f"scope:{'/'.join(item.scope)}#{item.part}", kind, name + part, _summary(inner), _main_op(inner),
            parent, item.scope, members, layers, (), item.part,
        )  # fmt: skip

    def _inputs(self, building: _Building) -> None:
        used = {name for node in self.facts.nodes for name in node.inputs}
        for tensor in self.facts.inputs:
            if tensor.name in used:
                building.boxes.append(_terminal("input", tensor.name, _shape(tensor.shape)))

    def _outputs(self, building: _Building) -> None:
        for tensor in self.facts.outputs:
            building.boxes.append(_terminal("output", tensor.name, _shape(tensor.shape)))

    def _edges(self, building: _Building) -> tuple[tuple[int, int], ...]:
        box_of = building.box_of
        found: dict[tuple[int, int], None] = {}
        inputs = {box.title: at for at, box in enumerate(building.boxes) if box.kind == "input"}
        outputs = [(box.title, at) for at, box in enumerate(building.boxes) if box.kind == "output"]
        for node in self.facts.nodes:
            for name in node.inputs:
                if name in inputs:
                    found[inputs[name], box_of[self._card_of[node.index]]] = None
        for source, ends in enumerate(self._after):
            for end in ends:
                if box_of[source] != box_of[end]:
                    found[box_of[source], box_of[end]] = None
        made = {name: node.index for node in self.facts.nodes for name in node.outputs}
        for name, at in outputs:
            if name in made:
                found[box_of[self._card_of[made[name]]], at] = None
            elif name in inputs:
                found[inputs[name], at] = None
        return tuple(found)


def view(facts: Facts, expanded: frozenset[Scope]) -> Diagram:
    """The diagram of `facts` with the scopes in `expanded` opened (see `Outline` for more than one)."""
    return Outline(facts).view(expanded)


def _terminal(kind: str, name: str, subtitle: str) -> Box:
    return Box(f"{kind}:{name}", kind, name, subtitle, kind, -1, (), (), ())


def _summary(cards: Sequence[Card]) -> str:
    nodes = sum(len(card.members) for card in cards)
    layers = sum(card.layer is not None for card in cards)
    return f"{layers} layers · {nodes} nodes" if layers > 1 else f"{nodes} nodes"


def _main_op(cards: Sequence[Card]) -> str:
    weighted = [card.op for card in cards if card.layer] or [card.op for card in cards]
    return Counter(weighted).most_common(1)[0][0]


def _shape(shape: tuple[int | str | None, ...] | None) -> str:
    return "×".join("?" if each is None else str(each) for each in shape or ())
