"""Every shipped preset and target loads, and a preset resolves without refusals it did not ask for."""

from __future__ import annotations

import pytest

from studio import target
from studio.errors import RecipeError
from studio.recipe import presets, text


@pytest.mark.parametrize("name", presets.names())
def test_presets_load_and_survive_their_own_text(name: str) -> None:
    recipe = presets.load(name)
    assert recipe.name == name
    assert recipe.target in target.names()
    assert text.loads(text.dumps(recipe)) == recipe


def test_the_presets_that_people_look_for_are_there() -> None:
    wanted = {"int8", "int8-accurate", "w4a8", "weights-only-4bit", "dynamic-int8", "float16", "prune30-int8"}
    assert wanted <= set(presets.names())


@pytest.mark.parametrize("name", target.names())
def test_targets_say_what_ops_take(name: str) -> None:
    loaded = target.load(name)
    assert loaded.stops == (32, 16, 8, 7, 6, 5, 4, 3, 2, 1)
    assert loaded.rule("Conv").activations == (32, 8)
    assert loaded.rule("Softmax").why
    assert loaded.rule("Nonsense") == loaded.other


def test_unknown_names_are_told_what_there_is() -> None:
    with pytest.raises(RecipeError, match="int8"):
        presets.load("int9")
    with pytest.raises(RecipeError, match="onnxruntime-cpu"):
        target.load("abacus")
