"""Horizontal places: Brandes and Köpf, "Fast and Simple Horizontal Coordinate Assignment" (2001).

Four alignments, each packed by longest path through the graph of its blocks (which keeps real
widths apart where the paper's own compaction, by its authors' erratum of 2020, does not), then
the mean of the two middle places of every element. A node is drawn under the nodes it hangs on
rather than under passing lines, so that the spine of a residual network stays straight.
"""

from __future__ import annotations

from collections.abc import Sequence

from studio.graph.layout.order import Proper

Rows = list[list[int]]


def places(graph: Proper, left: Sequence[float], right: Sequence[float]) -> list[float]:
    """x of every element's axis; `left` and `right` are its extents, half the gap included."""
    up, down = _guides(graph, graph.up), _guides(graph, graph.down)
    up, down = _mutual(up, down), _mutual(down, up)
    barred = _barred(graph)
    flipped = [layer[::-1] for layer in graph.layers]
    mirrored = [-place for place in graph.pos]
    tries = []
    for near, step in ((up, 1), (down, -1)):
        root = _align(graph.layers[::step], near, graph.pos, barred)
        tries.append(_pack(graph.layers, root, left, right))
        turned = [ends[::-1] if len(ends) > 1 else ends for ends in near]
        root = _align(flipped[::step], turned, mirrored, barred)
        tries.append([-x for x in _pack(flipped, root, right, left)])
    xs = _balanced(tries, left, right)
    _straighten(graph, xs)
    return [round(x * 2) / 2 for x in xs]


def _guides(graph: Proper, near: Rows) -> Rows:
    """The neighbours that an element should stand under (or over), in order of place."""
    nodes, solid, pos = graph.nodes, graph.solid, graph.pos
    found = []
    for element, ends in enumerate(near):
        if len(ends) > 1:
            pieces = [end for end in ends if end >= nodes]
            chosen = pieces if element >= nodes else [end for end in ends if end < solid]
            ends = sorted(chosen or ends, key=pos.__getitem__)
        found.append(ends)
    return found


def _mutual(near: Rows, back: Rows) -> Rows:
    """Only guides that are guided in turn: a line that leaves a node aside must not take its place."""
    return [[end for end in ends if element in back[end]] for element, ends in enumerate(near)]


def _barred(graph: Proper) -> set[tuple[int, int]]:
    """Pieces that cross a long line's inner piece: the long line is the one that stays straight."""
    found: set[tuple[int, int]] = set()
    for row, layer in enumerate(graph.layers[:-1]):
        if not graph.clean[row]:
            _bar_row(graph, layer, graph.layers[row + 1], found)
    return found


def _bar_row(graph: Proper, layer: list[int], below: list[int], found: set[tuple[int, int]]) -> None:
    nodes, pos, up = graph.nodes, graph.pos, graph.up
    low, start = -1, 0
    for at, element in enumerate(below):
        inner = element >= nodes and up[element][0] >= nodes
        if not inner and at < len(below) - 1:
            continue
        high = pos[up[element][0]] if inner else len(layer)
        for other in below[start : at + 1]:
            for end in up[other]:
                if not (other >= nodes and end >= nodes) and not low <= pos[end] <= high:
                    found.update(((end, other), (other, end)))
        low, start = high, at + 1


def _align(layers: Rows, near: Rows, pos: list[int], barred: set[tuple[int, int]]) -> list[int]:
    """Blocks of elements to stand in one line: the first element of its block for each."""
    root = list(range(len(pos)))
    taken = bytearray(len(pos))
    for layer in layers[1:]:
        reach = -len(pos) - 1
        for element in layer:
            ends = near[element]
            if not ends:
                continue
            half = len(ends) // 2
            for end in (ends[half],) if len(ends) % 2 else (ends[half - 1], ends[half]):
                if not taken[end] and reach < pos[end] and (not barred or (end, element) not in barred):
                    taken[end] = 1
                    root[element] = root[end]
                    reach = pos[end]
                    break
    return root


def _pack(layers: Rows, root: list[int], left: Sequence[float], right: Sequence[float]) -> list[float]:
    """x of every element with its block packed to the left, then drawn back to its right neighbours."""
    after: list[dict[int, float]] = [{} for _ in root]
    waiting = [0] * len(root)
    for layer in layers:
        if len(layer) > 1:
            previous = layer[0]
            for element in layer[1:]:
                a, b, room = root[previous], root[element], right[previous] + left[element]
                old = after[a].get(b)
                if old is None:
                    waiting[b] += 1
                    after[a][b] = room
                elif room > old:
                    after[a][b] = room
                previous = element
    x = [0.0] * len(root)
    order = [block for block, count in enumerate(waiting) if not count and root[block] == block]
    for block in order:
        here = x[block]
        for end, room in after[block].items():
            x[end] = max(x[end], here + room)
            waiting[end] -= 1
            if not waiting[end]:
                order.append(end)
    _draw_back(order, after, x)
    return [x[block] for block in root]


def _draw_back(order: list[int], after: list[dict[int, float]], x: list[float]) -> None:
    for block in reversed(order):
        ends = after[block]
        if ends:
            x[block] = max(x[block], min([x[end] - room for end, room in ends.items()]))


def _balanced(tries: list[list[float]], left: Sequence[float], right: Sequence[float]) -> list[float]:
    spans = []
    for xs in tries:
        low = min([x - w for x, w in zip(xs, left, strict=True)], default=0.0)
        high = max([x + w for x, w in zip(xs, right, strict=True)], default=0.0)
        spans.append((high - low, low, high))
    _, low, high = min(spans)
    moved = []
    for number, xs in enumerate(tries):
        shift = low - spans[number][1] if number % 2 == 0 else high - spans[number][2]
        moved.append([x + shift for x in xs])
    return [sum(sorted(four)[1:3]) / 2 for four in zip(*moved, strict=True)]


def _straighten(graph: Proper, xs: list[float]) -> None:
    """Put every node that is alone in its rank on one axis; what is between two moves with the upper one.

    Without it a block that comes out half a column aside would bend a deep network into a slope.
    """
    alone = [layer[0] for layer in graph.layers if len(layer) == 1 and layer[0] < graph.nodes]
    if not alone:
        return
    axis = xs[alone[0]]
    shift = 0.0
    for layer in graph.layers:
        if len(layer) == 1 and layer[0] < graph.nodes:
            shift = axis - xs[layer[0]]
            xs[layer[0]] = axis
        elif shift:
            for element in layer:
                xs[element] += shift
