"""Puts style, palette, typeface and style sheet on the application."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QApplication

from studio.gui.looks import fonts
from studio.gui.looks.sheet import sheet
from studio.gui.looks.theme import Theme, palette


def prepare(app: QApplication) -> None:
    """Once, before the first widget: Fusion and Inter."""
    app.setStyle("Fusion")
    fonts.load()
    app.setFont(fonts.font())


def dress(app: QApplication, theme: Theme) -> None:
    """The colours of a theme, for every widget at once."""
    for step in steps(app, theme):
        step()


def steps(app: QApplication, theme: Theme) -> tuple[Callable[[], None], ...]:
    """The same in three parts of about the same length.

    The old sheet goes first: Qt polishes a widget once for a first sheet, but once per ancestor where
    one sheet takes another's place (0.05 s instead of 0.2 s for 450 widgets).
    """
    return (
        lambda: app.setStyleSheet(""),
        lambda: app.setPalette(palette(theme)),
        lambda: app.setStyleSheet(sheet(theme)),
    )
