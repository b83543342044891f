"""The shipped typeface: Inter, with digits of equal width so that figures do not dance."""

from __future__ import annotations

from PySide6.QtGui import QFont, QFontDatabase

from studio.paths import resource

FAMILY = "Inter"
_FILES = ("Inter-Regular.ttf", "Inter-Medium.ttf", "Inter-SemiBold.ttf")


def load() -> bool:
    """Make Inter known to Qt; False where a file is missing (the system's font is used then)."""
    found = [QFontDatabase.addApplicationFont(str(resource("fonts", name))) for name in _FILES]
    return min(found) >= 0


def font(pixels: int = 13, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """A font of the window; `pixels` are device-independent."""
    made = QFont(FAMILY)
    made.setPixelSize(pixels)
    made.setWeight(weight)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


def medium(pixels: int = 13) -> QFont:
    """The font for labels that carry weight."""
    return font(pixels, QFont.Weight.Medium)


def strong(pixels: int = 13) -> QFont:
    """The font for titles and headline figures."""
    return font(pixels, QFont.Weight.DemiBold)
