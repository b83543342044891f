"""Colours reach WCAG AA; the look follows what is chosen."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from studio.gui.looks import fonts, icons
from studio.gui.looks.dress import dress
from studio.gui.looks.sheet import sheet
from studio.gui.looks.theme import DARK, LIGHT, Look, Theme, contrast, palette, theme_for
from studio.gui.main_window import MainWindow
from studio.paths import resource

_GROUNDS = ("window", "surface", "raised", "sunken")
_INKS = ("text", "muted", "accent_text", "good", "warn", "bad")


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_every_ink_reads_on_every_ground(theme: Theme) -> None:
    weak = [
        (ink, ground)
        for ink, ground in itertools.product(_INKS, _GROUNDS)
        if contrast(getattr(theme, ink), getattr(theme, ground)) < 4.5
    ]
    assert weak == []


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_chips_and_buttons_read(theme: Theme) -> None:
    pairs = [(getattr(theme, tone), getattr(theme, f"{tone}_soft")) for tone in ("good", "warn", "bad")]
    pairs += [(theme.accent_text, theme.accent_soft), (theme.on_accent, theme.accent)]
    pairs += [(theme.text, theme.accent_soft), (theme.muted, theme.accent_soft)]
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


_ROLES = (
    ("WindowText", "Window"),
    ("Text", "Base"),
    ("Text", "AlternateBase"),
    ("ButtonText", "Button"),
    ("ToolTipText", "ToolTipBase"),
    ("HighlightedText", "Highlight"),
    ("PlaceholderText", "Base"),
    ("Link", "Base"),
    ("Link", "Window"),
)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_the_palette_reads(qapp: QApplication, theme: Theme) -> None:
    made, role = palette(theme), QPalette.ColorRole
    told = {pair: [made.color(getattr(role, name)).name() for name in pair] for pair in _ROLES}
    assert [pair for pair, (ink, ground) in told.items() if contrast(ink, ground) < 4.5] == []


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_look_tells_when_it_changes(qapp: QApplication) -> None:
    look, heard = Look("dark"), []
    look.changed.connect(lambda: heard.append(look.theme.name))
    look.choose("light")
    look.choose("system")
    assert heard[0] == "light"
    assert look.theme == theme_for("system")


def test_the_sheet_takes_every_token(qapp: QApplication) -> None:
    assert "{" not in sheet(DARK).replace("{ ", "").split("QWidget")[0]
    assert DARK.accent in sheet(DARK)
    assert LIGHT.accent in sheet(LIGHT)


def test_inter_is_shipped_with_its_licence(qapp: QApplication) -> None:
    assert fonts.load()
    assert "Inter" in QFontDatabase.families()
    assert "SIL Open Font License" in resource("fonts", "Inter-LICENSE.txt").read_text("utf-8")


def test_digits_have_one_width(qapp: QApplication) -> None:
    from PySide6.QtGui import QFontMetricsF

    fonts.load()
    wide = QFontMetricsF(fonts.font(13)).horizontalAdvance
    assert len({wide(digit * 4) for digit in "0123456789"}) == 1


def test_icons_are_drawn_in_the_colour_asked_for(qapp: QApplication) -> None:
    for path in resource("icons").glob("*.svg"):
        picture = icons.pixmap(path.stem, "#ff0000", 32).toImage()
        seen = {picture.pixelColor(x, y).name() for x in range(32) for y in range(32)}
        assert len(seen) > 1, path.stem


class _Changes(QObject):
    """Counts the style changes that objects are told of."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def eventFilter(self, thing: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.StyleChange:
            self.seen += 1
        return False


@pytest.mark.slow
def test_another_theme_polishes_a_widget_as_often_however_deep_it_is(
    qapp: QApplication, window: MainWindow
) -> None:
    dress(qapp, DARK)
    changes = _Changes()
    qapp.installEventFilter(changes)
    dress(qapp, LIGHT)
    qapp.removeEventFilter(changes)
    dress(qapp, DARK)
    assert 0 < changes.seen <= 4 * len(qapp.allWidgets())
