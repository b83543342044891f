"""Global sparsity: met as a whole, where it costs least; a layer with a figure of its own keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from studio.artifact import Artifact
from studio.compress.pipeline import build
from studio.compress.pruning.distribute import Share, distribute
from studio.compress.pruning.eliminate import Order
from studio.control import Control
from studio.graph.model import Model
from studio.graph.onnx_edge import facts_of, from_proto
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Rule, Settings
from studio.target import load

GLOBAL = Settings(sparsity=0.25, distribute="global")


class Noise:
    key = "noise"

    def batches(self) -> Iterator[dict[str, np.ndarray]]:
        yield {"x": np.random.default_rng(1).normal(size=(64, 3, 8, 8)).astype(np.float32)}


def half_repeated() -> onnx.ModelProto:
    """Two hidden layers of 64 channels; the second half of the first layer repeats its first half."""
    random = np.random.default_rng(0)
    first = random.normal(size=(32, 3, 3, 3))
    arrays = {
        "w1": np.concatenate([first, first]),
        "w2": random.normal(size=(64, 64, 3, 3)) / 24,
        "w3": random.normal(size=(4, 64, 1, 1)),
    }
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size, 8, 8])
        for name, size in (("x", 3), ("y", 4))
    )
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], name="twice", pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["b"], name="relu1"),
        helper.make_node("Conv", ["b", "w2"], ["c"], name="once", pads=[1] * 4),
        helper.make_node("Relu", ["c"], ["d"], name="relu2"),
        helper.make_node("Conv", ["d", "w3"], ["y"], name="last"),
    ]
    held = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "net", [x], [y], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def built(tmp_path: Path) -> Callable[[Recipe], Artifact]:
    def made(recipe: Recipe) -> Artifact:
        proto = half_repeated()
        graph = from_proto(proto)
        model = Model(facts_of(graph, path="", format="onnx", file_bytes=proto.ByteSize()), graph)
        target = load(recipe.target)
        return build(
            model, resolve(recipe, model.facts, target, True), target, Noise(), tmp_path, Control(), {}
        )

    return made


def outcome(artifact: Artifact) -> dict[str, float]:
    return {layer.layer: layer.sparsity for layer in artifact.layers[:2]}


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.integers(2, 12), st.floats(0.1, 50), st.integers(0, 11), st.integers(0, 9)), min_size=1
    )
)
def test_the_goal_is_met_and_passed_by_less_than_one_step(
    blocks: list[tuple[int, float, int, int]],
) -> None:
    shares = []
    for width, saving, uniform, seed in blocks:
        costs = np.sort(np.random.default_rng(seed).uniform(size=width - 1))
        order = Order(np.arange(width - 1), costs)
        shares.append(Share(order, min(uniform, width - 1), saving, tuple(range(width))))
    counts = distribute(shares)
    goal = sum(each.uniform * each.saving for each in shares)
    saved = sum(count * each.saving for count, each in zip(counts, shares, strict=True))
    assert saved >= goal * (1 - 1e-9)
    assert saved <= goal + max(each.saving for each in shares) + 1e-9


def test_what_costs_least_goes_first() -> None:
    dear, cheap = (Order(np.arange(4), np.full(4, cost)) for cost in (1.0, 0.1))
    stops = (0, 1, 2, 3, 4)
    assert distribute([Share(dear, 2, 10.0, stops), Share(cheap, 2, 10.0, stops)]) == [0, 4]
    assert distribute([Share(dear, 2, 400.0, stops), Share(cheap, 2, 10.0, stops)]) == [3, 0]


def test_a_figure_of_a_layers_own_is_not_shared_out() -> None:
    assert Settings(sparsity=0.5).over(GLOBAL).distribute is None
    assert Settings(bits=4).over(GLOBAL).distribute == "global"


def test_channels_that_others_stand_in_for_go_first(built: Callable[[Recipe], Artifact]) -> None:
    assert outcome(built(Recipe(default=Settings(sparsity=0.25)))) == {"twice": 0.25, "once": 0.25}
    artifact = built(Recipe(default=GLOBAL))
    assert outcome(artifact) == {"twice": 0.5, "once": 0.0}
    assert "channels cost less" in artifact.layers[1].refused[-1].reason


def test_a_layers_own_figure_holds(built: Callable[[Recipe], Artifact]) -> None:
    rules = (Rule("once", Settings(sparsity=0.5)),)
    assert outcome(built(Recipe(default=GLOBAL, rules=rules))) == {"twice": 0.25, "once": 0.5}
