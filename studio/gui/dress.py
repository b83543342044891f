"""Puts style, palette, typeface and style sheet on the application."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from studio.gui import fonts
from studio.gui.sheet import sheet
from studio.gui.theme import Theme, palette


def prepare(app: QApplication) -> None:
    """Once, before the first widget: Fusion and Inter."""
    app.setStyle("Fusion")
    fonts.load()
    app.setFont(fonts.font())


def dress(app: QApplication, theme: Theme) -> None:
    """The colours of a theme, for every widget at once."""
    app.setPalette(palette(theme))
    app.setStyleSheet(sheet(theme))
