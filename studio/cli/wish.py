"""A model, its data and a recipe as typed: the options of every verb that works on what a recipe comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import reduce, wraps
from pathlib import Path
from typing import Any

from studio.cli import options
from studio.cli.shell import Shell
from studio.recipe.settings import Recipe


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; see `options` for the fields."""

    model: Path
    data: Path | None
    preprocessing: Path | None
    limit: int
    recipe: Path | None
    preset: str | None
    sets: tuple[str, ...]
    locks: tuple[str, ...]
    target: str | None

    def check(self, shell: Shell) -> bool:
        """Whether a recipe is asked for; raises `RecipeError` for a wrong one before any work is done."""
        return self._recipe(shell)[1]

    def open(self, shell: Shell) -> None:
        """Open the model with its data."""
        options.open_model(shell, self.model, self.data, self.preprocessing, self.limit)

    def apply(self, shell: Shell) -> None:
        """Make the recipe that of the session, over a project's own where one is open."""
        shell.session.apply_recipe(self._recipe(shell)[0])

    def _recipe(self, shell: Shell) -> tuple[Recipe, bool]:
        return options.the_recipe(shell, self.recipe, self.preset, self.sets, self.target, self.locks)


_OPTIONS = (
    options.MODEL,
    options.DATA,
    options.PREPROCESSING,
    options.LIMIT,
    options.RECIPE,
    options.PRESET,
    options.SETS,
    options.LOCKS,
    options.TARGET,
)


def wishing(function: Callable[..., None]) -> Callable[..., None]:
    """A click callback with these options, which the verb gets as one `wish`."""

    @wraps(function)
    def run(*args: Any, **given: Any) -> None:
        wish = Wish(**{field.name: given.pop(field.name) for field in fields(Wish)})
        function(*args, wish=wish, **given)

    return reduce(lambda made, option: option(made), reversed(_OPTIONS), run)
