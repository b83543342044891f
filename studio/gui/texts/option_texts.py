"""The texts of the settings: one part of `texts.Texts`."""

from __future__ import annotations

from studio.gui.texts.auto_texts import AutoTexts


class OptionTexts(AutoTexts, frozen=True, forbid_unknown_fields=True):
    """English. Braces are filled in by name."""

    options: str = "Settings"
    option: str = "Option"
    option_value: str = "Value"
    option_about: str = "What it does"
    option_system: str = "as the system"
    option_light: str = "light"
    option_dark: str = "dark"
    option_threads: str = "Threads"
    option_threads_all: str = "all cores but one"
    option_threads_about: str = "Threads inside one op; 0: all cores but one. From the next start."
    option_cuts: str = "Memory for live figures"
    option_cuts_none: str = "none: whole runs"
    option_cuts_about: str = (
        "Activations kept ahead of a change, so that its figures come sooner. From the next start."
    )
    option_tight: str = "Tight enough"
    option_tight_none: str = "never: all samples"
    option_tight_about: str = (
        "A measurement ends once its interval is no wider, in points. From the next start."
    )
    option_theme: str = "Theme"
    option_theme_about: str = "Colours of the window"
    option_language: str = "Language"
    option_language_about: str = "Texts of the window. From the next start."
