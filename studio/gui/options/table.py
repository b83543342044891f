"""Every option as a row: what it is called, what it is now, how it is shown and changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from studio.gui.looks import numbers
from studio.gui.texts.texts import T

ENGINE, WINDOW = "engine", "window"
_MEGA = 1_000_000


@dataclass(frozen=True, slots=True)
class Option:
    """One row. `key` is a field of the engine's `Tuning` or of the window's `Preferences`, by `home`.

    `choices` are values with their texts; where there are none, a number up to `most` is asked for, of which
    one is `scale` of the stored value.
    """

    home: str
    key: str
    title: str
    about: str
    show: Callable[[Any], str]
    choices: tuple[tuple[str, str], ...] = ()
    most: float = 0.0
    scale: int = 1
    digits: int = 0


def _choice(choices: tuple[tuple[str, str], ...]) -> Callable[[Any], str]:
    return lambda value: dict(choices).get(value, str(value))


_THEMES = (("system", T.option_system), ("light", T.option_light), ("dark", T.option_dark))
_LANGUAGES = (("", T.option_system), ("en", "English"), ("zh_CN", "简体中文"))

OPTIONS = (
    Option(
        ENGINE,
        "threads",
        T.option_threads,
        T.option_threads_about,
        lambda value: str(value) if value else T.option_threads_all,
        most=1024,
    ),
    Option(
        ENGINE,
        "cut_memory",
        T.option_cuts,
        T.option_cuts_about,
        lambda value: numbers.size(value) if value else T.option_cuts_none,
        most=1_000_000,
        scale=_MEGA,
    ),
    Option(
        ENGINE,
        "tight",
        T.option_tight,
        T.option_tight_about,
        lambda value: f"± {value:g} pp" if value else T.option_tight_none,
        most=100.0,
        digits=2,
    ),
    Option(WINDOW, "theme", T.option_theme, T.option_theme_about, _choice(_THEMES), _THEMES),
    Option(WINDOW, "language", T.option_language, T.option_language_about, _choice(_LANGUAGES), _LANGUAGES),
)
