"""Colours of the window as frozen tokens: every pair of text and ground reaches WCAG AA (4.5 : 1)."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette

MODES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours. `ops` are accents per kind of op, `ramp` runs from little to much.

    The ramp grows steadily in lightness (after cividis), so that it reads without colour vision.
    """

    name: str
    dark: bool
    window: str
    surface: str
    raised: str
    sunken: str
    line: str
    line_strong: str
    text: str
    muted: str
    accent: str
    accent_text: str
    accent_soft: str
    on_accent: str
    good: str
    good_soft: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    ghost: str
    series: tuple[str, ...]
    ops: tuple[tuple[str, str], ...]
    ramp: tuple[str, ...]

    def op(self, kind: str) -> str:
        """Accent of an op kind (`conv`, `linear`, `norm`, `activation`, `pool`, `merge`, `other`)."""
        return dict(self.ops).get(kind, dict(self.ops)["other"])


DARK = Theme(
    name="dark",
    dark=True,
    window="#14161b",
    surface="#1c1f26",
    raised="#262a33",
    sunken="#111318",
    line="#2d323d",
    line_strong="#464e5e",
    text="#eceff5",
    muted="#a4adbd",
    accent="#3069e6",
    accent_text="#8db1ff",
    accent_soft="#22335c",
    on_accent="#ffffff",
    good="#4cd39a",
    good_soft="#173a2d",
    warn="#f2b956",
    warn_soft="#40311a",
    bad="#ff8079",
    bad_soft="#472325",
    ghost="#6b7484",
    series=("#6f9dff", "#4cd39a", "#f2b956", "#d58cf0"),
    ops=(
        ("conv", "#5d93ff"),
        ("linear", "#b78cf5"),
        ("norm", "#3fc4b6"),
        ("activation", "#f08a6b"),
        ("pool", "#e6bd53"),
        ("merge", "#8fa0ba"),
        ("other", "#727d8f"),
    ),
    ramp=("#24477e", "#4b5f86", "#7b7b7b", "#a99a63", "#d8bc4b", "#ffe45c"),
)

LIGHT = Theme(
    name="light",
    dark=False,
    window="#f1f3f7",
    surface="#ffffff",
    raised="#f3f5f9",
    sunken="#f7f8fb",
    line="#dfe3ea",
    line_strong="#a9b2c1",
    text="#161a21",
    muted="#566073",
    accent="#2563eb",
    accent_text="#1d54d0",
    accent_soft="#e0eafe",
    on_accent="#ffffff",
    good="#0b7550",
    good_soft="#dcf3e8",
    warn="#8f5600",
    warn_soft="#fcefd5",
    bad="#c02a2a",
    bad_soft="#fde5e3",
    ghost="#8b94a5",
    series=("#2563eb", "#0b8a5c", "#b06f00", "#8b3fc4"),
    ops=(
        ("conv", "#2f6df0"),
        ("linear", "#8a4be0"),
        ("norm", "#12958a"),
        ("activation", "#d9573a"),
        ("pool", "#b98a0c"),
        ("merge", "#64748b"),
        ("other", "#8b94a5"),
    ),
    ramp=("#fdea7a", "#d8bc5a", "#a99a63", "#7b7b7b", "#4b5f86", "#1d3f78"),
)


class Look(QObject):
    """The chosen theme, handed down to every widget; `changed` is sent after the palette is in place."""

    changed = Signal()

    def __init__(self, mode: str = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.mode = mode
        self.theme = theme_for(mode)
        hints = QGuiApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._system_changed)

    def choose(self, mode: str) -> None:
        """Switch to `system`, `light` or `dark`."""
        self.mode = mode
        self.theme = theme_for(mode)
        self.changed.emit()

    def _system_changed(self) -> None:
        if self.mode == "system":
            self.choose("system")


def theme_for(mode: str) -> Theme:
    """The theme of a mode; `system` reads what the desktop wishes, dark where it does not say."""
    if mode == "system":
        scheme = QGuiApplication.styleHints().colorScheme()
        return LIGHT if scheme == Qt.ColorScheme.Light else DARK
    return LIGHT if mode == "light" else DARK


def palette(theme: Theme) -> QPalette:
    """The Qt palette of a theme."""
    made = QPalette()
    role = QPalette.ColorRole
    for which, colour in (
        (role.Window, theme.window),
        (role.WindowText, theme.text),
        (role.Base, theme.surface),
        (role.AlternateBase, theme.raised),
        (role.Text, theme.text),
        (role.Button, theme.raised),
        (role.ButtonText, theme.text),
        (role.BrightText, theme.bad),
        (role.ToolTipBase, theme.raised),
        (role.ToolTipText, theme.text),
        (role.PlaceholderText, theme.muted),
        (role.Highlight, theme.accent),
        (role.HighlightedText, theme.on_accent),
        (role.Link, theme.accent_text),
        (role.Light, theme.line),
        (role.Midlight, theme.line),
        (role.Mid, theme.line_strong),
        (role.Dark, theme.line_strong),
        (role.Shadow, theme.sunken),
    ):
        made.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.ghost))
    return made


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    made = QColor(colour)
    parts = (made.redF(), made.greenF(), made.blueF())
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
