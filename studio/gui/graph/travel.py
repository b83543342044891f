"""Keyboard travel: down and up along edges, left and right among neighbours."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from studio.gui.graph.scene import Scene


def step(scene: Scene, current: int | None, way: str) -> int | None:
    """The box that `way` (`down`, `up`, `left`, `right`, `first`, `last`) leads to, or None."""
    boxes = [at for at, box in enumerate(scene.diagram.boxes) if box.kind != "frame"]
    if not boxes:
        return None
    if current is None or way == "first":
        return next((at for at in boxes if at not in scene.before), boxes[0])
    if way == "last":
        return next((at for at in reversed(boxes) if at not in scene.after), boxes[-1])
    if way in ("down", "up"):
        ends = (scene.after if way == "down" else scene.before).get(current, [])
        return min(ends, key=lambda end: _distance(scene, current, end), default=None)
    return _beside(scene, current, 1 if way == "right" else -1)


def _beside(scene: Scene, current: int, side: int) -> int | None:
    """The nearest box on one side whose height overlaps; else what shares a source or an end."""
    here = scene.rects[current]
    strip = here.adjusted(-1500, 0, 1500, 0)
    row = [
        at
        for at in scene.near(strip)
        if at != current and (scene.rects[at].center().x() - here.center().x()) * side > 0
    ]
    return min(row, key=lambda at: abs(scene.rects[at].center().x() - here.center().x()), default=None)


def _distance(scene: Scene, one: int, other: int) -> tuple[float, int]:
    apart: QPointF = scene.rects[one].center() - scene.rects[other].center()
    return abs(apart.x()) + 0.2 * abs(apart.y()), other
