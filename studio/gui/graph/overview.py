"""The whole graph as one small picture: for the minimap, and for the canvas from far away.

It is painted beside the GUI thread where there is much to paint; until it comes, the old one or none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage, QPainter

from studio.control import Control
from studio.gui.graph.drafting import OVERVIEW, Drafter
from studio.gui.graph.scene import Scene
from studio.gui.graph.state import Shown
from studio.gui.graph.strokes import Strokes

SCALE, LONGEST = 0.06, 4096
_CLEAR, _CLOSEST = 900, 0.5  # a small graph is drawn larger, for the map's sake
_QUICK = 1200  # boxes that are painted within a frame


class Overview:
    """Keeps the picture of the present scene in the present colours; `ready` is called when it is new."""

    def __init__(self, shown: Shown, drafter: Drafter, ready: Callable[[], None]) -> None:
        self.shown, self._drafter, self._ready = shown, drafter, ready
        self._kept: tuple[Scene, QImage] | None = None
        self._asked = False

    def forget(self) -> None:
        """Colours or boxes changed."""
        self._kept, self._asked = None, False

    def image(self) -> QImage | None:
        """The picture; None while it is painted."""
        scene = self.shown.scene
        if scene is None:
            return None
        if self._kept is not None and self._kept[0] is scene:
            return self._kept[1]
        if len(scene.diagram.boxes) <= _QUICK:
            self._kept = scene, picture(replace(self.shown), scene)
            return self._kept[1]
        self._ask(scene)
        return None

    def _ask(self, scene: Scene) -> None:
        if self._asked:
            return
        self._asked = True
        shown = replace(self.shown)

        def work(control: Control) -> object:
            return scene, picture(shown, scene)

        self._drafter.run(OVERVIEW, work, self._take)

    def _take(self, value: object) -> None:
        assert isinstance(value, tuple)
        scene, image = value
        if isinstance(scene, Scene) and scene is self.shown.scene:
            self._kept = scene, image
            self._ready()


def picture(shown: Shown, scene: Scene) -> QImage:
    """The scene without texts, at most `LONGEST` pixels long."""
    longest = max(scene.bounds.width(), scene.bounds.height(), 1.0)
    scale = min(max(SCALE, min(_CLEAR / longest, _CLOSEST)), LONGEST / longest)
    size = QSize(int(scene.bounds.width() * scale) + 1, int(scene.bounds.height() * scale) + 1)
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(QColor(shown.theme.sunken))
    painter = QPainter(image)
    painter.scale(size.width() / max(scene.bounds.width(), 1), size.height() / max(scene.bounds.height(), 1))
    Strokes(shown).all(painter, scene, scene.bounds, scale)
    painter.end()
    return image
