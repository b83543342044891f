"""What is shown now: scene, selection, heat, theme. The view changes it, the painters read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtGui import QPolygonF

from studio.graph.model import Facts
from studio.graph.scopes import Outline, Scope
from studio.gui.graph.heat import Figures, Heat
from studio.gui.graph.scene import Scene
from studio.gui.looks.theme import DARK, Theme


@dataclass
class Shown:
    """State of one canvas. Boxes are named by their index in the scene's diagram.

    `partners` share a group with the selection, `lit` are being changed at this moment, `change` says
    `removed`, `inserted` or `changed` where two graphs are compared. `measuring` holds the colour
    modes whose figures are on their way, `lasso` is on the screen.
    """

    theme: Theme = DARK
    facts: Facts | None = None
    outline: Outline | None = None
    figures: Figures | None = None
    expanded: frozenset[Scope] = frozenset()
    scene: Scene | None = None
    heat: Heat = field(default_factory=Heat)
    names: tuple[str, ...] = ()
    selected: frozenset[int] = frozenset()
    partners: frozenset[int] = frozenset()
    lit: frozenset[int] = frozenset()
    found: frozenset[int] = frozenset()
    change: dict[int, str] = field(default_factory=dict)
    current: int | None = None
    focused: bool = False
    waiting: bool = False
    measuring: frozenset[str] = frozenset()
    lasso: QPolygonF | None = None
