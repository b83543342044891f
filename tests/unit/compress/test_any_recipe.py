"""Whatever a recipe asks for: the file opens in stock onnxruntime and computes numbers."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.compress.pipeline import build
from studio.control import Control
from studio.graph.model import Model
from studio.recipe.resolve import resolve
from studio.recipe.settings import REPAIRS, Recipe, Rule, Settings
from studio.recipe.text import dumps, loads
from studio.target import load, names

from .conftest import Samples, inputs_of, residual_net, run, spread_net
from .test_kinds import block_net

_NUMBERS: dict[str, list[Any]] = {
    "bits": [32, 16, *range(8, 0, -1)],
    "activations": [32, 16, 8],
    "sparsity": [0.0, 0.1, 0.5, 0.95],
    "threshold": [0.0, 0.01, 10.0],
    "block": [8, 16, 128, 1024],
}


def _values(field: Any) -> st.SearchStrategy[Any]:
    kind = next(each for each in get_args(field.type) if each is not type(None))
    given_ = _NUMBERS.get(field.name) or ([True, False] if kind is bool else get_args(kind))
    return st.none() | st.sampled_from(list(given_))


wishes = st.builds(Settings, **{field.name: _values(field) for field in msgspec.structs.fields(Settings)})
repairs = st.sets(st.sampled_from(REPAIRS)).map(
    lambda chosen: tuple(each for each in REPAIRS if each in chosen)
)


@cache
def _net(name: str) -> Model:
    if name == "block":
        return block_net(width=32).model("y", opset=20)
    return (residual_net(8) if name == "residual" else spread_net(8)).model("head")


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_recipe_gives_a_file_that_opens_and_computes(data: st.DataObject) -> None:
    model = _net(data.draw(st.sampled_from(["residual", "spread", "block"])))
    patterns = st.sampled_from([*(layer.name for layer in model.facts.layers), "*", "op:Conv", "weights<500"])
    rules = st.lists(st.builds(Rule, patterns, wishes), max_size=2).map(tuple)
    recipes = st.builds(Recipe, target=st.sampled_from(names()), default=wishes, rules=rules, repair=repairs)
    recipe, x = loads(dumps(data.draw(recipes))), inputs_of(model, 8)
    samples = Samples("eight", x=x) if data.draw(st.booleans()) else None
    target = load(recipe.target)
    plan = resolve(recipe, model.facts, target, samples is not None)
    with tempfile.TemporaryDirectory() as folder:
        artifact = build(model, plan, target, samples, Path(folder), Control(), {})
        assert np.isfinite(run(artifact.path, x)).all()
    assert {layer.layer for layer in artifact.layers} == {layer.name for layer in model.facts.layers}
