"""Small labels at the right of a card: the figure behind its colour, bits, sparsity."""

from __future__ import annotations

from dataclasses import dataclass

from studio.graph.scopes import Box
from studio.gui.graph import inks
from studio.gui.graph.sizes import Faces
from studio.gui.graph.state import Shown


@dataclass(frozen=True, slots=True)
class Badge:
    """Text on a coloured ground; `width` in pixels at scale 1."""

    text: str
    ground: str
    ink: str
    width: float


def badges(box: Box, at: int, shown: Shown, faces: Faces) -> list[Badge]:
    """The badges of a box, from the right."""
    made = []
    theme, heat = shown.theme, shown.heat
    text = heat.text(at)
    fraction = heat.fraction(at)
    if text and fraction is not None:
        ground = inks.ramp(theme, fraction)
        made.append(_badge(text, ground, inks.on(ground), faces))
    elif shown.figures is not None and box.kind == "card" and box.layers:
        made += _settings(box.layers[0], shown, faces)
    return made


def _settings(layer: str, shown: Shown, faces: Faces) -> list[Badge]:
    theme, figures = shown.theme, shown.figures
    if figures is None or layer not in figures.facts.by_name:
        return []
    bits, sparsity = figures.bits(layer), figures.sparsity(layer)
    made = []
    if bits < 32:
        made.append(_badge(bits_text(bits), theme.accent_soft, theme.accent_text, faces))
    if sparsity > 0:
        made.append(_badge(f"−{sparsity:.0%}", theme.warn_soft, theme.warn, faces))
    return made


def bits_text(bits: int) -> str:
    """`FP32`, `FP16`, `INT8` …"""
    return f"FP{bits}" if bits >= 16 else f"INT{bits}"


def _badge(text: str, ground: str, ink: str, faces: Faces) -> Badge:
    return Badge(text, ground, ink, faces.width(faces.badge, text) + 8)
