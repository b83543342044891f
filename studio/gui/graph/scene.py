"""A laid-out diagram with what drawing and pointing need: rectangles, a grid to look them up, paths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from studio.graph.cards import kind
from studio.graph.layout.sugiyama import Layout
from studio.graph.scopes import Diagram

CELL = 768.0
BOW = 14.0
Cell = tuple[int, int]


class Scene:
    """Diagram and layout; boxes that are no frames are found through a grid of `CELL` pixels.

    `said` is what search compares of each box, filled in by the first search.
    """

    def __init__(self, diagram: Diagram, layout: Layout) -> None:
        self.diagram, self.layout = diagram, layout
        self.rects = [QRectF(*box) for box in layout.boxes]
        self.frames = [at for at, box in enumerate(diagram.boxes) if box.kind == "frame"]
        self.bounds = QRectF(0, 0, layout.width, layout.height)
        self._grid: dict[Cell, list[int]] = {}
        for at, (x, y, width, height) in enumerate(layout.boxes):
            if diagram.boxes[at].kind != "frame":
                for cell in _cells(x, y, width, height):
                    self._grid.setdefault(cell, []).append(at)
        self._frames: dict[Cell, list[int]] = {}
        for at in self.frames:
            for cell in _cells(*layout.boxes[at]):
                self._frames.setdefault(cell, []).append(at)
        self.bands = _bands(layout.paths)
        self._bands: dict[Cell, list[int]] = {}
        for at, band in enumerate(self.bands):
            for cell in _cells(*_ends(band.rect)):
                self._bands.setdefault(cell, []).append(at)
        self.said: list[str] = []

    def near(self, rect: QRectF) -> list[int]:
        """Boxes (no frames) that may touch `rect`, in order."""
        return [at for at in _found(self._grid, rect) if self.rects[at].intersects(rect)]

    def lines(self, rect: QRectF) -> list[Band]:
        """Bands of edges that may touch `rect`."""
        bands = [self.bands[at] for at in _found(self._bands, rect)]
        return [band for band in bands if band.rect.intersects(rect)]

    def framed(self, rect: QRectF, least: float = 0.0) -> list[int]:
        """Frames that touch `rect` and are at least `least` wide, outer ones first."""
        near = (at for at in _found(self._frames, rect) if self.rects[at].width() >= least)
        return [at for at in near if self.rects[at].intersects(rect)]

    @cached_property
    def depth(self) -> dict[int, int]:
        """How many frames are around each frame."""
        found = {-1: -1}
        for frame in self.frames:
            found[frame] = found[self.diagram.boxes[frame].parent] + 1
        return found

    def at(self, point: QPointF) -> int | None:
        """The box under a scene point, else the innermost frame whose title bar is there."""
        for box in self._grid.get((int(point.x() // CELL), int(point.y() // CELL)), ()):
            if self.rects[box].contains(point):
                return box
        for frame in reversed(self.framed(QRectF(point.x(), point.y(), 1e-3, 1e-3))):
            rect = self.rects[frame]
            if QRectF(rect.x(), rect.y(), rect.width(), 26).contains(point):
                return frame
        return None

    @cached_property
    def kinds(self) -> Counter[str]:
        """How many boxes there are of each kind of op."""
        boxes = (box for box in self.diagram.boxes if box.kind in ("card", "scope"))
        return Counter(kind(box.op) for box in boxes)

    @cached_property
    def after(self) -> dict[int, list[int]]:
        return _joined(self.diagram.edges)

    @cached_property
    def before(self) -> dict[int, list[int]]:
        return _joined((end, source) for source, end in self.diagram.edges)

    @cached_property
    def box_of(self) -> dict[int, int]:
        """Box that shows a node (by index)."""
        return {
            member: at
            for at, box in enumerate(self.diagram.boxes)
            if box.kind != "frame"
            for member in box.members
        }

    @cached_property
    def by_id(self) -> dict[str, int]:
        """Box by its name; an opened scope goes by the name of the closed one."""
        return {box.id: at for at, box in enumerate(self.diagram.boxes)}

    @cached_property
    def edges_of(self) -> dict[int, list[int]]:
        """Positions of the edges at each box."""
        found: dict[int, list[int]] = {}
        for position, (source, end) in enumerate(self.diagram.edges):
            found.setdefault(source, []).append(position)
            found.setdefault(end, []).append(position)
        return found

    def path(self, edge: int) -> QPainterPath:
        """One edge as a path."""
        drawn = QPainterPath()
        trace(drawn, self.layout.paths[edge])
        return drawn


class Band:
    """Edges joined into one path for a strip of the scene, made when it is first seen."""

    def __init__(self) -> None:
        self.pieces: list[tuple[float, ...]] = []
        self.low = [float("inf"), float("inf")]
        self.high = [float("-inf"), float("-inf")]

    def add(self, piece: tuple[float, ...]) -> None:
        self.pieces.append(piece)
        self.low = [min(self.low[0], *piece[::2]), min(self.low[1], *piece[1::2])]
        self.high = [max(self.high[0], *piece[::2]), max(self.high[1], *piece[1::2])]

    @cached_property
    def rect(self) -> QRectF:
        wide, high = self.high[0] - self.low[0], self.high[1] - self.low[1]
        return QRectF(self.low[0] - 1, self.low[1] - BOW, wide + 2, high + 2 * BOW)

    @cached_property
    def path(self) -> QPainterPath:
        drawn = QPainterPath()
        for piece in self.pieces:
            trace(drawn, piece)
        return drawn


def trace(drawn: QPainterPath, path: tuple[float, ...]) -> None:
    """Add an edge's waypoints to a painter path (see `Layout` for what they mean)."""
    x, y = path[0], path[1]
    drawn.moveTo(x, y)
    going = 1.0
    for i in range(2, len(path), 2):
        to, down = path[i], path[i + 1]
        if down == y and to != x:
            drawn.cubicTo(x, y + going * BOW, to, y + going * BOW, to, down)
            going = -going
        else:
            if to == x:
                drawn.lineTo(to, down)
            else:
                half = (down - y) * 0.55
                drawn.cubicTo(x, y + half, to, down - half, to, down)
            going = 1.0 if down > y else -1.0
        x, y = to, down


def _bands(paths: tuple[tuple[float, ...], ...]) -> list[Band]:
    bands: dict[Cell, Band] = {}
    drawn: set[tuple[float, ...]] = set()
    for path in paths:
        for piece in _pieces(path):
            if piece not in drawn:
                drawn.add(piece)
                cell = (int(piece[0] // CELL), int(piece[1] // CELL))
                bands.setdefault(cell, Band()).add(piece)
    return list(bands.values())


def _pieces(path: tuple[float, ...]) -> Iterator[tuple[float, ...]]:
    """A path piece by piece, so that shared ways are drawn once; a turn stays with what leads to it."""
    start = 0
    for i in range(2, len(path), 2):
        turns_next = i + 3 < len(path) and path[i + 1] == path[i + 3]
        if not turns_next:
            yield path[start : i + 2]
            start = i


def _cells(x: float, y: float, width: float, height: float) -> Iterator[Cell]:
    for column in range(int(x // CELL), int((x + width) // CELL) + 1):
        for row in range(int(y // CELL), int((y + height) // CELL) + 1):
            yield column, row


def _ends(rect: QRectF) -> tuple[float, float, float, float]:
    return rect.x(), rect.y(), rect.width(), rect.height()


def _found(grid: dict[Cell, list[int]], rect: QRectF) -> list[int]:
    """What is in the cells that `rect` touches, in order: for frames, outer ones first."""
    cells = list(_cells(*_ends(rect)))
    if len(cells) > len(grid):
        wanted = set(cells)
        cells = [cell for cell in grid if cell in wanted]
    return sorted({at for cell in cells for at in grid.get(cell, ())})


def _joined(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for source, end in pairs:
        found.setdefault(source, []).append(end)
    return found
