"""What is shown now: scene, selection, heat, theme. The canvas changes it, the painter reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from studio.graph.model import Facts
from studio.graph.scopes import Outline, Scope
from studio.gui.graph.heat import Figures, Heat
from studio.gui.graph.scene import Scene
from studio.gui.theme import DARK, Theme


@dataclass
class Shown:
    """State of one canvas. Boxes are named by their index in the scene's diagram."""

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
    found: frozenset[int] = frozenset()
    current: int | None = None
    hovered: int | None = None
    focused: bool = False
