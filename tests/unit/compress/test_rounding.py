"""Learned rounding: never worse than what it starts from, for any table, and far better on real layers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from studio.compress.levels.weights import odd, uniform
from studio.compress.repair.bias import shift_of
from studio.compress.repair.patches import matrix, restored, rows
from studio.compress.repair.rounding import Problem, best_rounding, descend, order_of, second_order
from studio.compress.work import array_of, start
from studio.graph.onnx_edge import serialize
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Rule, Settings
from studio.target import load

from .conftest import Builder, Net, Samples, inputs_of, residual_net, run, spread_net, sqnr

Array = np.ndarray[Any, np.dtype[Any]]
_TABLES = (
    odd(1),
    uniform(2),
    odd(2),
    uniform(4),
    uniform(7),
    np.array([-90, -20, -3, 0, 5, 31, 77, 127], np.int8),
)


@pytest.mark.parametrize(
    "table", [*(uniform(bits) for bits in range(2, 9)), np.arange(-64, 65, dtype=np.int8)]
)
def test_levels_are_the_nearest_of_the_table(table: Array) -> None:
    exact = np.linspace(-140, 140, 997, dtype=np.float32).reshape(1, 1, -1)
    found = Problem(exact, np.eye(997)[None], table).levels(exact)
    assert np.abs(found - exact).tolist() == np.abs(table[:, None, None, None] - exact).min(axis=0).tolist()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 16),
    groups=st.integers(1, 3),
    outputs=st.integers(1, 5),
    width=st.integers(1, 70),
    table=st.sampled_from(_TABLES),
    sparse=st.booleans(),
    tied=st.booleans(),
)
def test_the_error_never_rises(
    seed: int, groups: int, outputs: int, width: int, table: Array, sparse: bool, tied: bool
) -> None:
    random = np.random.default_rng(seed)
    problem = _problem(random, (groups, outputs, width), table, sparse, tied)
    scale = np.full(
        (groups, outputs), np.abs(problem.rows).max() / np.abs(table.astype(int)).max(), np.float32
    )
    scale = scale.astype(np.float32)
    nearest = problem.nearest(scale)
    values, unit, error = best_rounding(problem, nearest, scale)
    assert error.sum() <= problem.error(nearest, scale).sum()
    np.testing.assert_allclose(problem.error(values.astype(np.float32), unit), error, rtol=1e-4)
    assert set(np.unique(values)) <= {0, *table.tolist()} if sparse else set(table.tolist())
    assert (unit > 0).all()
    if problem.frozen is not None:
        assert not values[problem.frozen].any()
    assert not tied or len(np.unique(unit)) == 1


def test_each_step_of_the_descent_lowers_the_error() -> None:
    problem = _problem(np.random.default_rng(3), (2, 8, 150), uniform(2), sparse=False, tied=False)
    scale = np.full((2, 8), 1.2, np.float32)
    rounded = second_order(problem, order_of(problem.gram), scale)
    values, unit = descend(problem, rounded, scale)
    nearest = problem.error(problem.nearest(scale), scale).sum()
    assert problem.error(rounded, scale).sum() < 0.7 * nearest
    assert (problem.error(values, unit) <= problem.error(rounded, scale) * (1 + 1e-5)).all()


@pytest.mark.parametrize(("group", "stride", "dilation"), [(1, 1, 1), (4, 2, 1), (8, 1, 2)])
def test_rows_times_matrix_is_the_convolution(group: int, stride: int, dilation: int) -> None:
    net = Net("N", 8, 9, 7)
    net.conv("x", "c", (8, 16), 3, group, strides=[stride] * 2, dilations=[dilation] * 2)
    model, x = net.model("c"), inputs_of(net.model("c"), 3)
    target = load("onnxruntime-cpu")
    work = start(model, resolve(Recipe(), model.facts, target, False), target)
    fact, _, node = next(work.layers())
    weight, bias = array_of(node.inputs[1]), array_of(node.inputs[2])
    assert weight is not None
    assert bias is not None
    made = rows(node, fact, x, 1 << 20, np.random.default_rng(0)) @ matrix(node, weight).swapaxes(1, 2)
    reference = run(serialize(model.ir), x)
    ours = made.reshape(group, 3, -1, 16 // group).transpose(1, 0, 3, 2).reshape(reference.shape)
    np.testing.assert_allclose(ours + bias[None, :, None, None], reference, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(restored(node, matrix(node, weight), weight.shape), weight)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [2, 4])
def test_outputs_come_closer_to_float(make: Builder, bits: int) -> None:
    model = residual_net().model("head")
    plain, learned = (_sqnr(make, model, bits, repair) for repair in ((), ("round",)))
    assert learned > plain + 3


@pytest.mark.parametrize(
    "wish", [Settings(bits=3, activations=32), Settings(bits=4, granularity="block", block=16)]
)
def test_products_gain_by_second_order_rounding_and_the_file_says_how_much(
    make: Builder, wish: Settings
) -> None:
    """GPTQ on the weights of MatMul, for inputs whose channels go together."""
    net = Net("N", 6, 48)
    mixed = net.array("mix", net.random.normal(0, 0.3, (48, 12)) @ net.random.normal(0, 1, (12, 48)))
    net.weights[-1] = numpy_helper.from_array(
        numpy_helper.to_array(net.weights[-1]).astype(np.float32), mixed
    )
    source = net.op("Tanh", [net.op("MatMul", ["x", mixed], "mixed")], "curve")
    weight = net.array("w", net.random.normal(0, 48**-0.5, (48, 32)).astype(np.float32))
    net.op("MatMul", [source, weight], "y")
    model = net.model("y")
    x = inputs_of(model, 64, seed=8)
    given = Samples("mixed", x=inputs_of(model, 200))
    asked = Recipe(rules=(Rule("y", wish),))
    plain, learned = (
        make(model, msgspec.structs.replace(asked, repair=repair), data=given) for repair in ((), ("round",))
    )
    reference = run(serialize(model.ir), x)
    assert sqnr(reference, run(learned.path, x)) > sqnr(reference, run(plain.path, x)) + 2
    assert learned.notes[0].startswith("rounding learned for 1 layers: ")
    assert float(learned.notes[0].split()[5]) > 2


def test_biases_move_only_where_samples_held_back_agree() -> None:
    learned, held = np.array([1.0, 1.0, -0.2, 0.0]), np.array([0.8, 0.4, 0.3, 0.5])
    found = shift_of(np.array([0.9, 0.7, 0.1, 0.3]), learned, held)
    np.testing.assert_array_equal(found.change, [0.9, 0.0, 0.0, 0.0])  # 0.4 − 1 is more than 0.4
    assert found.kept == 1
    assert found.before > found.after > 0


def test_shared_and_unknown_weights_are_left_alone(make: Builder) -> None:
    net = Net("N", 8, 8, 8)
    first = net.op("Relu", [net.conv("x", "a", (8, 8))], "r")
    net.op("Conv", [first, "a.weight", "a.bias"], "b", pads=[1] * 4)
    deep = net.array("t.weight", net.random.normal(0, 0.2, (8, 8, 3, 3)).astype(np.float32))
    net.op("ConvTranspose", ["b", deep], "t")
    artifact = make(net.model("t"), Recipe(default=Settings(bits=2)))
    once = sum(layer.bytes for layer in artifact.layers if layer.layer in "ab")
    assert once < 8 * 8 * 9 // 4 + 1200
    assert np.isfinite(run(artifact.path, inputs_of(net.model("t")))).all()


def test_removed_weights_stay_removed(make: Builder) -> None:
    from onnx import load as load_onnx

    model = spread_net().model("head")
    recipe = Recipe(default=Settings(bits=3, sparsity=0.6, structure="unstructured"))
    artifact = make(model, recipe)
    assert load_onnx(artifact.path).graph.node
    assert all(layer.sparsity > 0.5 for layer in artifact.layers if layer.structure == "unstructured")


@pytest.mark.slow
def test_a_second_build_takes_levels_from_the_cache(make: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.compress.repair import reconstruct

    model, recipe = residual_net().model("head"), Recipe(default=Settings(bits=3))
    cache: dict[str, Any] = {}
    first = make(model, recipe, cache=cache)
    monkeypatch.setattr(reconstruct, "_rounded", None)
    assert make(model, recipe, cache=cache).sha256 == first.sha256


@pytest.mark.slow
def test_an_edit_gives_the_bytes_of_a_fresh_build_whatever_was_built_before(make: Builder) -> None:
    model, recipe = residual_net().model("head"), Recipe(default=Settings(bits=4))
    cache: dict[str, Any] = {}
    for layer in model.facts.layers:
        for bits in (3, 8, 32):  # another rounding, the bias only, and one layer less to walk to
            edited = recipe.with_rule(layer.name, Settings(bits=bits))
            assert make(model, edited, cache=cache).sha256 == make(model, edited).sha256, (layer.name, bits)
        make(model, recipe, cache=cache)


_FRONT = (
    (Settings(bits=4), "minmax", Settings(bits=4), "percentile"),
    (
        Settings(bits=32, sparsity=0.3, structure="unstructured"),
        "minmax",
        Settings(bits=32, sparsity=0.6, structure="unstructured"),
        "minmax",
    ),
    (Settings(bits=4, symmetric=False), "minmax", Settings(bits=3, symmetric=False), "minmax"),
)


@pytest.mark.slow
@pytest.mark.parametrize(("first", "looked", "then", "looks"), _FRONT)
def test_no_walk_is_taken_up_that_other_settings_left(
    make: Builder, first: Settings, looked: Any, then: Settings, looks: Any
) -> None:
    model, cache = residual_net().model("head"), dict[str, Any]()
    plain = Recipe(default=Settings(bits=4))
    before = msgspec.structs.replace(plain, calibration=looked).with_rule("stem", first)
    after = msgspec.structs.replace(plain, calibration=looks).with_rule("stem", then)
    make(model, before, cache=cache)
    assert make(model, after, cache=cache).sha256 == make(model, after).sha256


def test_layers_in_front_of_an_edit_are_not_run_again(make: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.compress.pruning import walk

    model, recipe = residual_net().model("head"), Recipe(default=Settings(bits=4))
    cache: dict[str, Any] = {}
    make(model, recipe, cache=cache)
    monkeypatch.setattr(walk, "_session", None)
    last = model.facts.layers[-1].name
    edited = recipe.with_rule(last, Settings(bits=3))
    assert make(model, edited, cache=cache).sha256 != make(model, recipe, cache=cache).sha256


@pytest.mark.slow
def test_the_same_bytes_in_another_process(make: Builder) -> None:
    model = residual_net().model("head")
    ours = make(model, Recipe(default=Settings(bits=3))).sha256
    code = (
        "import sys, pathlib, tempfile; sys.path[:0] = sys.argv[1:]\n"
        "from tests.unit.compress import conftest as c\n"
        "from studio.compress.pipeline import build\n"
        "from studio.control import Control\n"
        "from studio.recipe.resolve import resolve\n"
        "from studio.recipe.settings import Recipe, Settings\n"
        "from studio.target import load\n"
        "model, recipe = c.residual_net().model('head'), Recipe(default=Settings(bits=3))\n"
        "source, target = c.Samples('noise', x=c.inputs_of(model)), load(recipe.target)\n"
        "plan = resolve(recipe, model.facts, target, True)\n"
        "out = pathlib.Path(tempfile.mkdtemp())\n"
        "print(build(model, plan, target, source, out, Control(), {}).sha256)\n"
    )
    for threads in ("1", "4"):
        root = str(Path(__file__).parents[3])
        done = subprocess.run(
            [sys.executable, "-c", code, root],
            env={"OPENBLAS_NUM_THREADS": threads, "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == ours


def _problem(
    random: np.random.Generator, shape: tuple[int, int, int], table: Array, sparse: bool, tied: bool
) -> Problem:
    rows = random.normal(size=shape).astype(np.float32)
    taken = random.normal(size=(shape[0], 300, shape[2])) @ random.normal(size=(shape[0], shape[2], shape[2]))
    gram = (taken.swapaxes(1, 2) @ taken / 300 + 0.03 * np.eye(shape[2])).astype(np.float32)
    frozen = random.random(shape) < 0.5 if sparse else None
    return Problem(rows, gram, table, frozen, tied)


def _sqnr(make: Builder, model: Any, bits: int, repair: tuple[str, ...]) -> float:
    x = inputs_of(model, seed=8)
    recipe = Recipe(default=Settings(bits=bits, activations=32), repair=repair)
    return sqnr(run(serialize(model.ir), x), run(make(model, recipe).path, x))
