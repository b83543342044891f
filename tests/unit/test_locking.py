"""Locks: what is locked stays as it is under presets, edits, resets and recipes, and comes free again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.control import Control
from studio.errors import RecipeError
from studio.recipe import text
from studio.recipe.settings import Recipe, Rule, Settings
from studio.search.table import uniform
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench


@pytest.fixture
def session(sample: Path, tmp_path: Path) -> Iterator[Session]:
    made = Session(LocalWorkbench(tmp_path))
    made.open(sample, Control())
    yield made
    made.close()


def _bits(session: Session, *names: str) -> list[int]:
    return [session.plan().of(name).bits for name in names]


@pytest.mark.slow
def test_a_lock_survives_presets_edits_recipes_and_resets(session: Session) -> None:
    name, other = (layer.name for layer in session.facts.layers[1:3])
    session.set_layers([name], Settings(bits=4))
    session.lock([name])
    session.apply_preset("int8")
    assert _bits(session, name, other) == [4, 8]
    session.apply_recipe(Recipe(default=Settings(bits=2)))
    assert _bits(session, name, other) == [4, 2]
    session.set_layers([name, other], Settings(bits=6))
    assert _bits(session, name, other) == [4, 6]
    session.reset()
    assert _bits(session, name, other) == [4, 32]
    with pytest.raises(RecipeError, match="locked"):
        session.set_layers([name], Settings(bits=8))


@pytest.mark.slow
def test_what_is_unlocked_keeps_its_settings_until_they_are_changed(session: Session) -> None:
    name = session.facts.layers[1].name
    session.lock_rules([Rule(name, Settings(bits=4))])
    session.unlock([name])
    assert _bits(session, name) == [4]
    session.apply_preset("int8")
    assert _bits(session, name) == [8]
    session.undo()
    session.undo()
    assert session.recipe.locks != ()


def test_a_search_starts_from_recipes_that_hold_the_locks() -> None:
    base = Recipe(locks=(Rule("a", Settings(bits=8)),))
    assert uniform(base, 2).locks == base.locks


def test_locks_survive_their_text_and_leave_recipes_without_them_alone() -> None:
    recipe = Recipe(locks=(Rule("a", Settings(bits=8)),))
    assert text.loads(text.dumps(recipe)) == recipe
    assert "locks" not in text.dumps(Recipe())


@pytest.mark.slow
def test_a_preset_for_some_layers_leaves_the_others(session: Session) -> None:
    first, second = (layer.name for layer in session.facts.layers[1:3])
    session.as_preset([first], "w4a8")
    assert _bits(session, first, second) == [4, 32]
