"""Catalogues: every text there is known, and every brace of it is one of the English text."""

from __future__ import annotations

from string import Formatter

import msgspec
import pytest

from studio.gui.texts.texts import Texts, load
from studio.paths import resource

_LANGUAGES = [path.stem for path in sorted(resource("texts").glob("*.json"))]


def _braces(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", _LANGUAGES)
def test_a_catalogue_fills_the_same_braces(language: str) -> None:
    english, theirs = msgspec.structs.asdict(Texts()), msgspec.structs.asdict(load(language))
    assert {name for name in english if _braces(english[name]) != _braces(theirs[name])} == set()
    translated = sum(english[name] != theirs[name] for name in english)
    assert translated / len(english) > 0.9


def test_an_unknown_language_is_english() -> None:
    assert load("tlh") == Texts()
