"""A recipe names the oldest version that knows all it says: older programs read it, or say why not."""

from __future__ import annotations

import json

import pytest

from studio.errors import RecipeError
from studio.recipe.settings import Recipe, Rule, Settings
from studio.recipe.text import VERSION, dumps, loads

LOCKED = Recipe(default=Settings(bits=4), locks=(Rule("stem", Settings(bits=8)),))


def test_only_what_an_older_program_cannot_read_raises_the_version() -> None:
    assert "version" not in json.loads(dumps(Recipe(default=Settings(bits=4))))
    assert json.loads(dumps(LOCKED))["version"] == 2
    assert loads(dumps(LOCKED)) == LOCKED


@pytest.mark.parametrize("version", [1, 2])
def test_recipes_of_every_version_are_read_and_said_the_same(version: int) -> None:
    told = json.loads(dumps(LOCKED))
    assert dumps(loads(json.dumps({**told, "version": version}))) == dumps(LOCKED)
    plain = {"version": version, "default": {"bits": 8}}
    assert loads(json.dumps(plain)) == Recipe(default=Settings(bits=8))


@pytest.mark.parametrize(
    ("version", "said"),
    [(VERSION + 1, "newer Trimtab"), ("2", "no version"), (0, "no version"), (True, "no")],
)
def test_a_version_that_cannot_be_read_is_told(version: object, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        loads(json.dumps({"version": version}))


@pytest.mark.parametrize("raw", ["[]", "3", '"bits"', "null"])
def test_what_is_no_recipe_is_told(raw: str) -> None:
    with pytest.raises(RecipeError, match="not a recipe"):
        loads(raw)
