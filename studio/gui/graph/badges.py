"""Small labels at the right of a card: the figure behind its colour, bits, sparsity."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QFont

from studio.graph.scopes import Box
from studio.gui.graph import inks
from studio.gui.graph.heat import Figures
from studio.gui.graph.sizes import Faces
from studio.gui.graph.state import Shown
from studio.recipe.settings import FLOAT


@dataclass(frozen=True, slots=True)
class Badge:
    """Text on a coloured ground; `width` in pixels at scale 1."""

    text: str
    ground: str
    ink: str
    width: float


def badges(box: Box, at: int, shown: Shown, face: QFont, faces: Faces) -> list[Badge]:
    """The badges of a box, from the right; `face` is the font of its level of detail."""
    theme, heat = shown.theme, shown.heat
    mark = shown.change.get(at)
    if mark is not None:
        ground, ink = inks.change_soft(theme, mark), inks.change(theme, mark)
        return [_badge(inks.CHANGE_SIGNS[mark], ground, ink, face, faces)]
    text, fraction = heat.text(at), heat.fraction(at)
    if text and fraction is not None:
        ground = inks.ramp(theme, fraction)
        return [_badge(text, ground, inks.on(ground), face, faces)]
    if shown.figures is None:
        return []
    layers = [layer for layer in box.layers if layer in shown.figures.facts.by_name]
    said = (
        (_bits(layers, shown.figures), theme.accent_soft, theme.accent_text),
        (_sparsity(layers, shown.figures), theme.warn_soft, theme.warn),
    )
    return [_badge(text, ground, ink, face, faces) for text, ground, ink in said if text]


def fitting(made: list[Badge], room: float) -> list[Badge]:
    """The badges that fit into `room`, the first ones first."""
    kept: list[Badge] = []
    for badge in made:
        room -= badge.width + 4
        if room < 0:
            break
        kept.append(badge)
    return kept


def _bits(layers: list[str], figures: Figures) -> str:
    """Width of the layers' weights; of several widths the least and the greatest."""
    widths = {figures.bits(layer) for layer in layers}
    if not widths or widths == {FLOAT}:
        return ""
    low, high = min(widths), max(widths)
    return bits_text(low) if low == high else f"{low}–{high} bit"


def _sparsity(layers: list[str], figures: Figures) -> str:
    most = max([figures.sparsity(layer) for layer in layers], default=0.0)
    few = "" if len(layers) < 2 else "≤"
    return f"−{few}{most:.0%}" if most > 0 else ""


def bits_text(bits: int) -> str:
    """`FP32`, `FP16`, `INT8` …"""
    return f"FP{bits}" if bits >= 16 else f"INT{bits}"


def _badge(text: str, ground: str, ink: str, face: QFont, faces: Faces) -> Badge:
    return Badge(text, ground, ink, faces.width(face, text) + 8)
