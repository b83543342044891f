"""Fold a tall drawing into columns, read like those of a newspaper, to fit a window's shape."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import sqrt

from studio.graph.layout.route import Layout, Path

GUTTER = 44.0
TURN = 14.0
LANE = 9.0
MOST_LINES = 4


def column_height(width: float, height: float, aspect: float) -> float:
    """Height of the columns that bring a drawing of `width` × `height` near `aspect` (width / height)."""
    return sqrt(height * (width + 1.5 * GUTTER) / aspect)


def fold(layout: Layout, height: float) -> Layout:
    """`layout` in columns of about `height`.

    It is cut only between ranks, and only where few lines cross; those run up the gutter into
    the next column. Returns `layout` itself where one column is best.
    """
    rows = _rows(layout)
    columns = round(layout.height / height) if height > 0 else 1
    if columns < 2 or len(rows) < 2:
        return layout
    lines = _lines(layout, rows)
    cuts = _cuts(lines, rows, layout.height / columns)
    return _Folding(layout, rows, cuts, max(lines[cut] for cut in cuts)).finish() if cuts else layout


def _rows(layout: Layout) -> list[tuple[float, float]]:
    """(top, bottom) of every rank."""
    rows = [[float("inf"), 0.0] for _ in range(max(layout.ranks, default=-1) + 1)]
    for rank, (_, y, _, height) in zip(layout.ranks, layout.boxes, strict=True):
        rows[rank] = [min(rows[rank][0], y), max(rows[rank][1], y + height)]
    return [(top, bottom) for top, bottom in rows]


def _cuts(lines: list[int], rows: list[tuple[float, float]], height: float) -> list[int]:
    """Ranks after which to cut."""
    bottoms = [bottom for _, bottom in rows]
    cuts: list[int] = []
    start = rows[0][0]
    while rows[-1][1] - start > 1.25 * height:
        low, high = bisect_left(bottoms, start + 0.5 * height), bisect_right(bottoms, start + 1.5 * height)
        able = [rank for rank in range(low, min(high, len(rows) - 1)) if lines[rank] <= MOST_LINES]
        if not able:
            able = [rank for rank in range(high, len(rows) - 1) if lines[rank] <= MOST_LINES][:1]
        if not able:
            break
        cuts.append(min(able, key=lambda rank: _cost(lines[rank], (bottoms[rank] - start) / height)))
        start = rows[cuts[-1] + 1][0]
    return cuts


def _cost(lines: int, part: float) -> float:
    return abs(part - 1) + 0.15 * lines


def _lines(layout: Layout, rows: list[tuple[float, float]]) -> list[int]:
    """How many separate lines leave each rank downward."""
    bottoms = [bottom for _, bottom in rows]
    seen: list[set[float]] = [set() for _ in rows]
    for path in layout.paths:
        points = sorted(zip(path[1::2], path[::2], strict=True))
        for (y, x), (below, _) in pairwise(points):
            low, high = bisect_right(bottoms, y - 1e-6), bisect_right(bottoms, below - 1e-6)
            for rank in range(low, high):
                if bottoms[rank] < below:
                    seen[rank].add(round(x, 3))
    return [len(each) for each in seen]


class _Folding:
    """Moves boxes and paths of each section to its column."""

    def __init__(
        self, layout: Layout, rows: list[tuple[float, float]], cuts: Sequence[int], lines: int
    ) -> None:
        self.layout, self.cuts = layout, cuts
        self.ends = [rows[cut][1] for cut in cuts]
        self.starts = [rows[0][0], *(rows[cut + 1][0] for cut in cuts)]
        lanes = LANE * max(lines - 1, 0)
        self.margin = TURN + lanes
        spans = self._spans()
        self.heights = [
            end - start for start, end in zip(self.starts, [*self.ends, rows[-1][1]], strict=True)
        ]
        self.moves: list[tuple[float, float]] = []
        self.gutters: list[float] = []
        x = 0.0
        for (low, high), start in zip(spans, self.starts, strict=True):
            self.moves.append((x - low, self.margin - start))
            x += high - low + GUTTER + lanes
            self.gutters.append(x - GUTTER / 2 - lanes)
        self.width = x - GUTTER - lanes
        self.lane_of: dict[tuple[int, float], int] = {}

    def finish(self) -> Layout:
        boxes = []
        for x, y, width, height in self.layout.boxes:
            dx, dy = self.moves[self._section(y)]
            boxes.append((x + dx, y + dy, width, height))
        paths = tuple(self._path(path) for path in self.layout.paths)
        height = self.margin * 2 + max(self.heights)
        return replace(self.layout, width=self.width, height=height, boxes=tuple(boxes), paths=paths)

    def _section(self, y: float) -> int:
        return bisect_right(self.starts, y + 1e-6) - 1 if y >= self.starts[0] else 0

    def _spans(self) -> list[tuple[float, float]]:
        """Least and greatest x in each section."""
        lows, highs = [float("inf")] * len(self.starts), [float("-inf")] * len(self.starts)
        for x, y, width, _ in self.layout.boxes:
            section = self._section(y)
            lows[section] = min(lows[section], x)
            highs[section] = max(highs[section], x + width)
        for path in self.layout.paths:
            for x, y in zip(path[::2], path[1::2], strict=True):
                section = self._section(y)
                lows[section] = min(lows[section], x)
                highs[section] = max(highs[section], x)
        return list(zip(lows, highs, strict=True))

    def _path(self, path: Path) -> Path:
        if path[-1] < path[1]:
            turned = self._path(_reversed(path))
            return _reversed(turned)
        points: list[float] = []
        section = self._section(path[1])
        last_x = path[0]
        for x, y in zip(path[::2], path[1::2], strict=True):
            while self._section(y) > section:
                self._turn(points, section, last_x, x if self._section(y) == section + 1 else last_x, y)
                section += 1
            points += self._moved(x, y, section)
            last_x = x
        return tuple(points)

    def _turn(self, points: list[float], section: int, x: float, to: float, y: float) -> None:
        """Down out of a column, up its gutter, over into the next one."""
        lane = self.lane_of.setdefault((section, round(x, 3)), self._lanes(section))
        bottom = self.margin + self.heights[section] + LANE * lane / 2
        top = self.margin - TURN / 2 - LANE * lane
        gutter = self.gutters[section] + LANE * lane
        here, _ = self._moved(x, 0.0, section)
        straight = abs(y - self.starts[section + 1]) > 1e-6
        there, _ = self._moved(x if straight else to, 0.0, section + 1)
        if points[-1] != bottom:
            points += (here, bottom)
        points += (gutter, bottom, gutter, top, there, top)

    def _lanes(self, section: int) -> int:
        return sum(each == section for each, _ in self.lane_of)

    def _moved(self, x: float, y: float, section: int) -> tuple[float, float]:
        dx, dy = self.moves[section]
        return x + dx, y + dy


def _reversed(path: Path) -> Path:
    return tuple(path[i + k] for i in range(len(path) - 2, -1, -2) for k in (0, 1))
