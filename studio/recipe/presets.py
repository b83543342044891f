"""Named recipes shipped in `resources/presets`."""

from __future__ import annotations

from studio.errors import RecipeError
from studio.paths import resource
from studio.recipe import text
from studio.recipe.settings import Recipe


def names() -> tuple[str, ...]:
    """Names of the shipped presets."""
    return tuple(sorted(path.stem for path in resource("presets").glob("*.json")))


def load(name: str) -> Recipe:
    """The preset `name`; `RecipeError` where there is none."""
    if name not in names():
        raise RecipeError(f"preset {name!r}", "no such preset", f"Choose one of: {', '.join(names())}.")
    return text.read(resource("presets", f"{name}.json"))
