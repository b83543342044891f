"""Order within ranks: lines cut into one piece per rank, depth-first start, barycentre sweeps."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field

SWEEPS = 12
Trunks = Sequence[tuple[int, Sequence[int]]]


@dataclass(slots=True)
class Proper:
    """A graph whose every line joins neighbouring ranks.

    Elements below `nodes` are nodes, the others stand for a line crossing a rank. Lines that leave
    the same trunk share these: `chains` lists them for each trunk, first rank first. Nodes from
    `solid` on are mere ports: nothing needs to stand straight above or below them. `clean` says
    whether the lines below a rank cross nowhere; `order` fills it in.
    """

    nodes: int
    layers: list[list[int]]
    up: list[list[int]]
    down: list[list[int]]
    chains: list[list[int]]
    solid: int
    pos: list[int] = field(default_factory=list)
    clean: list[bool] = field(default_factory=list)


def proper(rank: list[int], trunks: Trunks, solid: int) -> Proper:
    """Cut `trunks` (a source node and the nodes that it feeds) into pieces of one rank each."""
    up: list[list[int]] = [[] for _ in rank]
    down: list[list[int]] = [[] for _ in rank]
    layers: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    chains = []
    for source, ends in trunks:
        chain: list[int] = []
        reach = max((rank[end] for end in ends), default=0) - rank[source] - 1
        for step in range(reach):
            piece = len(up)
            up.append([chain[-1] if chain else source])
            down.append([])
            chain.append(piece)
            layers[rank[source] + 1 + step].append(piece)
        for end in ends:
            gap = rank[end] - rank[source] - 1
            last = chain[gap - 1] if gap else source
            down[last].append(end)
            up[end].append(last)
        for piece in chain:
            down[up[piece][0]].append(piece)
        chains.append(chain)
    for node, row in enumerate(rank):
        layers[row].append(node)
    _short_first(down, chains, len(rank))
    return Proper(len(rank), layers, up, down, chains, solid)


def _short_first(down: list[list[int]], chains: list[list[int]], nodes: int) -> None:
    """Nodes before passing lines, short lines before long ones: so nested lines nest on one side."""
    length = {chain[0]: len(chain) for chain in chains if chain}
    for ends in down[:nodes]:
        if len(ends) > 1:
            ends.sort(key=lambda end: length.get(end, 0))


def order(graph: Proper) -> None:
    """Sort each layer of `graph` so that few lines cross; deterministic."""
    _depth_first(graph)
    pos = graph.pos = [0] * len(graph.up)
    for layer in graph.layers:
        _number(layer, pos)
    graph.clean = [True] * len(graph.layers)
    for first, last in _wide(graph.layers):
        if _crossings(graph, first, last):
            _untangle(graph, first, last)
    for row, layer in enumerate(graph.layers):
        graph.clean[row] = len(layer) < 2 or not _crossing(layer, graph.down, pos)


def _depth_first(graph: Proper) -> None:
    row = [0] * len(graph.up)
    for number, layer in enumerate(graph.layers):
        for element in layer:
            row[element] = number
        layer.clear()
    seen = bytearray(len(graph.up))
    stack = [node for node in range(graph.nodes - 1, -1, -1) if not graph.up[node]]
    while stack:
        element = stack.pop()
        if seen[element]:
            continue
        seen[element] = 1
        graph.layers[row[element]].append(element)
        stack.extend(reversed(graph.down[element]))


def _wide(layers: list[list[int]]) -> list[tuple[int, int]]:
    """Runs (first, last) of layers with more than one element: only there can lines cross."""
    runs, start = [], -1
    for row, layer in enumerate([*layers, []]):
        if len(layer) > 1:
            start = row if start < 0 else start
        elif start >= 0:
            runs.append((start, row - 1))
            start = -1
    return runs


def _untangle(graph: Proper, first: int, last: int) -> None:
    best = _crossings(graph, first, last)
    kept = [graph.layers[row].copy() for row in range(first, last + 1)]
    stale = 0
    for turn in range(SWEEPS):
        rows = range(first, last + 1) if turn % 2 == 0 else range(last, first - 1, -1)
        for row in rows:
            _sort(graph.layers[row], graph.up if turn % 2 == 0 else graph.down, graph.pos)
        now = _crossings(graph, first, last)
        stale = 0 if now < best else stale + 1
        if now < best:
            best, kept = now, [graph.layers[row].copy() for row in range(first, last + 1)]
        if not best or stale > 3:
            break
    for row, layer in zip(range(first, last + 1), kept, strict=True):
        graph.layers[row] = layer
        _number(layer, graph.pos)
    if best:
        _switch(graph, first, last)


def _switch(graph: Proper, first: int, last: int) -> None:
    """Exchange neighbours while that removes crossings (a few rounds)."""
    for _ in range(4):
        better = False
        for row in range(first, last + 1):
            layer = graph.layers[row]
            for at in range(len(layer) - 1):
                a, b = layer[at], layer[at + 1]
                if _gain(graph, a, b) > 0:
                    layer[at], layer[at + 1] = b, a
                    graph.pos[a], graph.pos[b] = at + 1, at
                    better = True
        if not better:
            return


def _gain(graph: Proper, a: int, b: int) -> int:
    gain = 0
    for side in (graph.up, graph.down):
        for i in side[a]:
            for j in side[b]:
                gain += (graph.pos[i] > graph.pos[j]) - (graph.pos[i] < graph.pos[j])
    return gain


def _sort(layer: list[int], near: list[list[int]], pos: list[int]) -> None:
    def centre(element: int) -> float:
        ends = near[element]
        return sum([pos[end] for end in ends]) / len(ends) if ends else pos[element]

    layer.sort(key=centre)
    _number(layer, pos)


def _number(layer: list[int], pos: list[int]) -> None:
    for place, element in enumerate(layer):
        pos[element] = place


def _crossings(graph: Proper, first: int, last: int) -> int:
    rows = range(max(first - 1, 0), last + 1)
    return sum(_crossing(graph.layers[row], graph.down, graph.pos) for row in rows)


def _crossing(layer: list[int], down: list[list[int]], pos: list[int]) -> int:
    seen: list[int] = []
    total = 0
    for element in layer:
        ends = [pos[end] for end in down[element]]
        for end in ends:
            total += len(seen) - bisect_right(seen, end)
        for end in ends:
            insort(seen, end)
    return total
