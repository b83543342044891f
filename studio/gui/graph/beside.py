"""Two graph views that look at the same place: scopes, selection and camera follow each other.

The drawings differ, so the cameras are not equal: they hold the box nearest to the middle that both
have at the same point of the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, QPointF, QRectF

from studio.gui.graph.scene import Scene
from studio.gui.graph.view import GraphView


class Tie(QObject):
    """Ties `two` to `one` and back, while `on`."""

    def __init__(self, one: GraphView, two: GraphView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.on, self._pulling = False, False
        for here, there in ((one, two), (two, one)):
            here.canvas.moved.connect(partial(self._pull, here, there))
            here.drawn.connect(partial(self._open, here, there))
            here.marked.connect(partial(self._select, here, there))

    def begin(self, one: GraphView, two: GraphView) -> None:
        """From now on; `two` comes to where `one` is."""
        self.on = True
        self._select(one, two)
        self._pull(one, two)

    def _pull(self, here: GraphView, there: GraphView) -> None:
        """Bring the camera of `there` to what `here` looks at."""
        if not self.on or self._pulling or there.shown.scene is None or here.shown.scene is None:
            return
        self._pulling = True
        pair = anchor(here, there)
        camera, other = here.canvas.camera, there.canvas.camera
        if pair is not None:
            mine, theirs = pair
            place = camera.to_screen(QRectF(mine, mine)).topLeft()
            other.scale = camera.scale
            other.offset = place - theirs * camera.scale
            there.canvas.look()
        self._pulling = False

    def _open(self, here: GraphView, there: GraphView) -> None:
        """Open in `there` what is open in `here`."""
        if not self.on or there.shown.scene is None:
            return
        if there.shown.expanded == here.shown.expanded:
            self._pull(here, there)
            return
        there.lay_out(here.shown.expanded, lambda: self._pull(here, there))

    def _select(self, here: GraphView, there: GraphView) -> None:
        if self.on and not self._pulling:
            self._pulling = True
            there.set_selection(known(here.shown.names, there))
            self._pulling = False


def known(names: Sequence[str], view: GraphView) -> tuple[str, ...]:
    """Those of `names` that a view's graph has."""
    facts = view.shown.facts
    return tuple(name for name in names if facts is not None and name in facts.index_of)


def anchor(here: GraphView, there: GraphView) -> tuple[QPointF, QPointF] | None:
    """The middle (in both scenes) of the box nearest to the middle of `here` that both have."""
    scene, other = here.shown.scene, there.shown.scene
    if scene is None or other is None:
        return None
    room = here.canvas.room()
    middle = here.canvas.camera.to_scene(QPointF(room.width() / 2, room.height() / 2))
    for box in _nearest(scene, middle, here.canvas.camera.seen(QRectF(QPointF(), room))):
        found = other.by_id.get(scene.diagram.boxes[box].id)
        if found is not None:
            return scene.rects[box].center(), other.rects[found].center()
    return None


def _nearest(scene: Scene, middle: QPointF, seen: QRectF) -> list[int]:
    """Boxes that are seen, else all, the one nearest to the middle first."""

    def apart(box: int) -> float:
        return (scene.rects[box].center() - middle).manhattanLength()

    return sorted(scene.near(seen) or range(len(scene.rects)), key=apart)
