"""Values of a drawing, and its rows and waypoints once every element has its x."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.graph.layout import far as layout_far
from studio.graph.layout.order import Proper

Path = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Spacing:
    """Room in pixels: between neighbours in a rank, around lanes, between ranks."""

    beside: float = 18.0
    lane: float = 14.0
    below: float = 18.0
    bend: float = 0.05
    most_below: float = 44.0


@dataclass(frozen=True, slots=True)
class Node:
    """Extents of a node: `left` and `right` of its axis (where lines meet it) and its height."""

    left: float
    right: float
    height: float


@dataclass(frozen=True, slots=True)
class Link:
    """A line from node `source` to node `end`; `leaves` and `enters` are offsets from their axes.

    Lines with the same source and the same `port` share their way.
    """

    source: int
    end: int
    port: int = 0
    leaves: float = 0.0
    enters: float = 0.0


@dataclass(frozen=True, slots=True)
class Layout:
    """Frozen drawing. `boxes` are (x, y, width, height), x and y of the upper left corner.

    `paths[i]` belongs to edge i: flat (x, y, x, y, …) waypoints from source to end. Between two
    waypoints runs a straight line where x is equal, else a cubic whose ends are vertical; where y
    is equal the cubic is a turn that bulges the way the line was going.
    """

    width: float
    height: float
    boxes: tuple[tuple[float, float, float, float], ...]
    paths: tuple[Path, ...]
    ranks: tuple[int, ...] = ()


class Ways:
    """Which trunk every line belongs to. Lines of one source and port share a trunk.

    `turned` are the positions of lines that close a cycle: they are laid out from end to source
    and get a trunk of their own. `far` lines get none; they run in lanes beside the drawing.
    """

    def __init__(self, links: Sequence[Link], rank: list[int], turned: set[int]) -> None:
        self.links, self.rank, self.turned = links, rank, turned
        self.trunks: list[tuple[int, list[int]]] = []
        self.trunk_of: list[int] = []
        self.far: set[int] = set()
        number: dict[tuple[int, int, int], int] = {}
        for position, link in enumerate(links):
            key = (self.upper(position), -1, position) if position in turned else (link.source, link.port, -1)
            if key not in number:
                number[key] = len(self.trunks)
                self.trunks.append((key[0], []))
            self.trunk_of.append(number[key])
            self._join(position, self.trunks[number[key]][1])

    def _join(self, position: int, ends: list[int]) -> None:
        upper, lower = self.upper(position), self.lower(position)
        if self.rank[lower] - self.rank[upper] > layout_far.FAR:
            self.far.add(position)
        elif upper != lower and lower not in ends:
            ends.append(lower)

    def upper(self, position: int) -> int:
        link = self.links[position]
        return link.end if position in self.turned else link.source

    def lower(self, position: int) -> int:
        link = self.links[position]
        return link.source if position in self.turned else link.end

    def offsets(self, position: int) -> tuple[float, float]:
        """Offsets from the axes of the upper and the lower node."""
        link = self.links[position]
        pair = (link.leaves, link.enters)
        return pair[::-1] if position in self.turned else pair

    def lanes(self) -> dict[int, int]:
        """Lane of every trunk with far lines."""
        spans: dict[int, tuple[int, int]] = {}
        for position in sorted(self.far):
            trunk = self.trunk_of[position]
            first, last = self.rank[self.upper(position)], self.rank[self.lower(position)]
            spans[trunk] = (first, max(last, spans.get(trunk, (0, 0))[1]))
        return layout_far.lanes(spans)


class Drawing:
    """Turns places into boxes and paths."""

    def __init__(
        self, nodes: Sequence[Node], spacing: Spacing, graph: Proper, xs: list[float], ways: Ways
    ) -> None:
        self.nodes, self.spacing, self.graph, self.xs, self.ways = nodes, spacing, graph, xs, ways
        self.rank = ways.rank
        self.tops: list[float] = []
        self.bottoms: list[float] = []
        self.lanes = ways.lanes()

    def finish(self) -> Layout:
        low, high = self._span()
        shift = self.spacing.beside
        lane_x = {trunk: high + shift + lane * self.spacing.lane for trunk, lane in self.lanes.items()}
        steps = [self._steps(position, lane_x) for position in range(len(self.ways.links))]
        self._rows(steps)
        boxes = tuple(
            (self.xs[i] - node.left - low, self.tops[self.rank[i]], node.left + node.right, node.height)
            for i, node in enumerate(self.nodes)
        )
        paths = tuple(self._path(position, way, low) for position, way in enumerate(steps))
        width = max([high, *lane_x.values()]) - low
        return Layout(width, self.bottoms[-1] if self.bottoms else 0.0, boxes, paths, tuple(self.rank))

    def _span(self) -> tuple[float, float]:
        nodes, xs = self.nodes, self.xs
        lows = [xs[i] - node.left for i, node in enumerate(nodes)]
        highs = [xs[i] + node.right for i, node in enumerate(nodes)]
        lanes = xs[len(nodes) :]
        return min([*lows, *lanes], default=0.0), max([*highs, *lanes], default=0.0)

    def _steps(self, position: int, lane_x: dict[int, float]) -> list[tuple[int, float]]:
        """Where a line changes its x: (rank above the bend, new x), first its own start."""
        ways = self.ways
        upper, lower = ways.upper(position), ways.lower(position)
        leaves, enters = ways.offsets(position)
        row, last = self.rank[upper], self.rank[lower]
        x = self.xs[upper] + leaves
        steps = [(row, x)]
        trunk = ways.trunk_of[position]
        if position in ways.far:
            x = lane_x[trunk]
            steps.append((row, x))
        else:
            for at, piece in enumerate(self.graph.chains[trunk][: last - row - 1]):
                if self.xs[piece] != x:
                    x = self.xs[piece]
                    steps.append((row + at, x))
        if self.xs[lower] + enters != x:
            steps.append((last - 1, self.xs[lower] + enters))
        return steps

    def _rows(self, steps: list[list[tuple[int, float]]]) -> None:
        heights = [0.0] * len(self.graph.layers)
        for node, row in enumerate(self.rank):
            heights[row] = max(heights[row], self.nodes[node].height)
        aside = [0.0] * len(heights)
        for way in steps:
            x = way[0][1]
            for row, to in way[1:]:
                aside[row] = max(aside[row], abs(to - x))
                x = to
        y = 0.0
        for height, step in zip(heights, aside, strict=True):
            self.tops.append(y)
            self.bottoms.append(y + height)
            gap = min(self.spacing.below + self.spacing.bend * step, self.spacing.most_below)
            y += height + round(gap)

    def _path(self, position: int, way: list[tuple[int, float]], low: float) -> Path:
        link, ways = self.ways.links[position], self.ways
        if link.source == link.end:
            return self._loop(link, low)
        upper, lower = ways.upper(position), ways.lower(position)
        x = way[0][1] - low
        points = [x, self.tops[self.rank[upper]] + self.nodes[upper].height]
        for row, to in way[1:]:
            _line_to(points, x, self.bottoms[row])
            x = to - low
            points += (x, self.tops[row + 1])
        _line_to(points, x, self.tops[self.rank[lower]])
        if position in ways.turned:
            return tuple(points[i + k] for i in range(len(points) - 2, -1, -2) for k in (0, 1))
        return tuple(points)

    def _loop(self, link: Link, low: float) -> Path:
        x, node = self.xs[link.source] - low, self.nodes[link.source]
        top = self.tops[self.rank[link.source]]
        side = x + node.right
        return (x, top + node.height, side, top + node.height, side, top, x, top)


def _line_to(points: list[float], x: float, y: float) -> None:
    if points[-1] != y:
        points += (x, y)
