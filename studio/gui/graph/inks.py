"""Colours that are worked out from the theme: blends, ramp places, text on a colour."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtGui import QColor

from studio.gui.looks.theme import Theme, contrast

CHANGE_SIGNS = {"removed": "−", "inserted": "+", "changed": "≠"}


@lru_cache(maxsize=512)
def blend(one: str, other: str, amount: float) -> str:
    """`one` with `amount` (0 to 1) of `other`."""
    a, b = QColor(one), QColor(other)
    parts = zip((a.red(), a.green(), a.blue()), (b.red(), b.green(), b.blue()), strict=True)
    return "#" + "".join(f"{round(x + (y - x) * amount):02x}" for x, y in parts)


def ramp(theme: Theme, fraction: float) -> str:
    """The colour at `fraction` (0 to 1) of the theme's ramp, in 32 steps."""
    steps = theme.ramp
    place = round(min(max(fraction, 0.0), 1.0) * 31) / 31 * (len(steps) - 1)
    low = min(int(place), len(steps) - 2)
    return blend(steps[low], steps[low + 1], round(place - low, 3))


def on(colour: str) -> str:
    """The more readable of dark and light text on `colour`."""
    return max(("#10131a", "#ffffff"), key=lambda text: contrast(text, colour))


def card(theme: Theme, op: str) -> str:
    """Ground of a card: the surface with a breath of its op's accent."""
    ground = theme.raised if theme.dark else theme.surface
    return blend(ground, op, 0.10 if theme.dark else 0.05)


def rim(theme: Theme, op: str) -> str:
    """Outline of a card."""
    return blend(theme.line_strong, op, 0.45)


def frame(theme: Theme, depth: int) -> QColor:
    """Ground of an opened scope; deeper ones stand out from those around them."""
    if theme.dark:
        return QColor(blend(theme.surface, theme.line, 0.35 * (depth % 3)))
    return QColor(theme.window if depth % 2 == 0 else blend(theme.window, theme.line, 0.7))


def frame_rim(theme: Theme) -> QColor:
    """Outline of an opened scope."""
    return QColor(blend(theme.line, theme.line_strong, 0.9 if theme.dark else 0.45))


def edge(theme: Theme) -> QColor:
    """Lines between boxes: clear on every ground, quieter than text."""
    return QColor(blend(theme.muted, theme.line_strong, 0.25))


def change(theme: Theme, mark: str) -> str:
    """Colour of what was `removed`, `inserted` or `changed`; a sign stands beside it (`CHANGE_SIGNS`)."""
    return {"removed": theme.bad, "inserted": theme.good}.get(mark, theme.warn)


def change_soft(theme: Theme, mark: str) -> str:
    """Ground under the sign of a change."""
    return {"removed": theme.bad_soft, "inserted": theme.good_soft}.get(mark, theme.warn_soft)
