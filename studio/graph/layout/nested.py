"""Lay out a diagram whose frames hold boxes: every frame on its own, then as one box of its parent.

A frame never touches a box that is not in it. A line that enters or leaves a frame passes a port
on its border; lines from one source share a port.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from studio.control import Control
from studio.graph.layout.fold import column_height, fold
from studio.graph.layout.sugiyama import Layout, Link, Node, Spacing, place
from studio.graph.scopes import Diagram

PAD = 14.0
TITLE = 28.0
PORT = 12.0


@dataclass(slots=True)
class _Level:
    """What is directly inside one frame (or outside all), and the pieces of lines there."""

    children: list[int] = field(default_factory=list)
    enter: dict[int, int] = field(default_factory=dict)
    leave: dict[int, int] = field(default_factory=dict)
    wires: dict[tuple[int, int, int], int] = field(default_factory=dict)
    given: tuple[list[Node], list[Link]] | None = None
    made: Layout | None = None
    layout: Layout | None = None

    def wire(self, source: int, end: int, line: int) -> int:
        return self.wires.setdefault((source, end, line), len(self.wires))


_ENTER, _LEAVE = -2, -3


def arrange(
    diagram: Diagram,
    sizes: Sequence[tuple[float, float]],
    spacing: Spacing | None = None,
    aspect: float | None = None,
    control: Control | None = None,
) -> Layout:
    """Boxes and paths for all of `diagram`; `sizes` are (width, height), of frames the least width.

    With `aspect` (width / height of the window) a tall drawing, or what is in a tall frame, is
    folded into columns. Raises `Cancelled` once `control` is cancelled.
    """
    spacing = spacing or Spacing()
    arranging = _Arranging(diagram, sizes, spacing, control or Control())
    plain = arranging.lay()
    if not aspect or plain.height <= 1.3 * plain.width / aspect:
        return arranging.finish()
    arranging.lay(column_height(plain.width, plain.height, aspect))
    return arranging.finish()


class _Arranging:
    def __init__(
        self,
        diagram: Diagram,
        sizes: Sequence[tuple[float, float]],
        spacing: Spacing,
        control: Control,
    ) -> None:
        self.diagram, self.spacing, self.control = diagram, spacing, control
        self.sizes = [(float(width), float(height)) for width, height in sizes]
        self.parent = [box.parent for box in diagram.boxes]
        self.least = [width for width, _ in self.sizes]
        self.axis = [width / 2 for width, _ in self.sizes]
        self.levels: dict[int, _Level] = {-1: _Level()}
        for at, box in enumerate(diagram.boxes):
            if box.kind == "frame":
                self.levels[at] = _Level()
            self.levels[box.parent].children.append(at)
        self.parts = [self._wire(source, end) for source, end in diagram.edges]

    def lay(self, column: float | None = None) -> Layout:
        """Lay out all levels, innermost first, folded to `column` high; what is around all."""
        for frame in reversed(list(self.levels)):
            self._lay(frame, column)
        return self._laid(-1)

    def finish(self) -> Layout:
        """The laid-out levels as one drawing."""
        root = self._laid(-1)
        corner = self._corners()
        boxes = tuple((*corner[at], *self.sizes[at]) for at in range(len(self.sizes)))
        origins = {frame: self._origin(frame, corner) for frame in self.levels}
        paths = tuple(self._join(parts, origins) for parts in self.parts)
        return Layout(root.width, root.height, boxes, paths)

    def _wire(self, source: int, end: int) -> list[tuple[int, int]]:
        """The pieces (frame, number) of an edge, source first."""
        out, into = self._around(source), self._around(end)
        shared = set(out) & set(into)
        parts = []
        here = source
        for frame in out:
            if frame in shared:
                break
            parts.append((frame, self.levels[frame].wire(here, _LEAVE, source)))
            self.levels[frame].leave.setdefault(source, 0)
            here = frame
        inner, steps = end, []
        for frame in into:
            if frame in shared:
                parts.append((frame, self.levels[frame].wire(here, inner, source)))
                break
            steps.append((frame, self.levels[frame].wire(_ENTER, inner, source)))
            self.levels[frame].enter.setdefault(source, 0)
            inner = frame
        return parts + steps[::-1]

    def _around(self, box: int) -> list[int]:
        """The frames around a box, innermost first, -1 at the end."""
        found = [self.parent[box]]
        while found[-1] >= 0:
            found.append(self.parent[found[-1]])
        return found

    def _lay(self, frame: int, column: float | None) -> None:
        self.control.check()
        level = self.levels[frame]
        nodes = [self._node(child) for child in level.children]
        inside = len(nodes)
        nodes += self._ports(level, inside)
        local = {child: at for at, child in enumerate(level.children)}
        links = [self._link(level, local, *wire) for wire in level.wires]
        made = level.made
        if made is None or level.given != (nodes, links):
            top, bottom = set(level.enter.values()), set(level.leave.values())
            made = place(nodes, links, self.spacing, top, bottom, self.control)
            level.given, level.made = (nodes, links), made
        fits = column is None or made.height <= 1.3 * column
        level.layout = made if fits or column is None else fold(made, column)
        if frame >= 0:
            self._frame(frame, level, level.layout)

    def _ports(self, level: _Level, first: int) -> list[Node]:
        """A port for each line that leaves; those that enter for the same boxes share one.

        The line from the nearest source comes first: it is the main one.
        """
        aims: dict[int, list[int]] = {}
        for source, end, line in level.wires:
            if source == _ENTER:
                aims.setdefault(line, []).append(end)
        shared: dict[tuple[int, ...], int] = {}
        for line in sorted(level.enter, reverse=True):
            level.enter[line] = shared.setdefault(tuple(aims[line]), first + len(shared))
        for number, line in enumerate(level.leave):
            level.leave[line] = first + len(shared) + number
        return [Node(0.0, 0.0, PORT)] * len(shared) + [Node(0.0, 0.0, 0.0)] * len(level.leave)

    def _node(self, box: int) -> Node:
        width, height = self.sizes[box]
        return Node(self.axis[box], width - self.axis[box], height)

    def _link(self, level: _Level, local: dict[int, int], source: int, end: int, line: int) -> Link:
        leaves = self._port(source, line, out=True) - self.axis[source] if source in self.levels else 0.0
        enters = self._port(end, line, out=False) - self.axis[end] if end in self.levels else 0.0
        return Link(
            level.enter[line] if source == _ENTER else local[source],
            level.leave[line] if end == _LEAVE else local[end],
            line if source != _ENTER else 0,
            leaves,
            enters,
        )

    def _port(self, frame: int, line: int, out: bool) -> float:
        """x of a port, from the frame's left edge."""
        level = self.levels[frame]
        node = level.leave[line] if out else level.enter[line]
        return self._inset(frame) + self._laid(frame).boxes[node][0]

    def _frame(self, frame: int, level: _Level, made: Layout) -> None:
        least = self.least[frame]
        below = 0.0 if level.leave else PAD
        width = max(made.width + 2 * PAD, least)
        self.sizes[frame] = (width, made.height + below + self._lead(level))
        self.axis[frame] = self._port(frame, max(level.enter), out=False) if level.enter else width / 2

    def _lead(self, level: _Level) -> float:
        return 0.0 if level.enter else TITLE

    def _inset(self, frame: int) -> float:
        return (self.sizes[frame][0] - self._laid(frame).width) / 2

    def _laid(self, frame: int) -> Layout:
        layout = self.levels[frame].layout
        assert layout is not None
        return layout

    def _corners(self) -> dict[int, tuple[float, float]]:
        corner: dict[int, tuple[float, float]] = {}
        for frame, level in self.levels.items():
            x, y = self._origin(frame, corner)
            for child, box in zip(level.children, self._laid(frame).boxes, strict=False):
                corner[child] = (x + box[0], y + box[1])
        return corner

    def _origin(self, frame: int, corner: dict[int, tuple[float, float]]) -> tuple[float, float]:
        if frame < 0:
            return 0.0, 0.0
        x, y = corner[frame]
        return x + self._inset(frame), y + self._lead(self.levels[frame])

    def _join(
        self, parts: list[tuple[int, int]], origins: dict[int, tuple[float, float]]
    ) -> tuple[float, ...]:
        points: list[float] = []
        for frame, number in parts:
            x, y = origins[frame]
            path = self._laid(frame).paths[number]
            moved = [path[i] + (y if i % 2 else x) for i in range(len(path))]
            if frame in self.levels and points and abs(points[-1] - moved[1]) < 1e-6:
                moved = moved[2:]
            points += moved
        return tuple(points)
