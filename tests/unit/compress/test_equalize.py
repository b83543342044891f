"""Equalization and bias correction bring back what spread channel ranges destroy."""

from __future__ import annotations

import numpy as np
from onnx import numpy_helper

from studio.compress.prepare.fold import fold
from studio.compress.repair.equalize import equalize
from studio.compress.work import start
from studio.graph.model import Model
from studio.graph.onnx_edge import serialize
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Settings
from studio.target import load

from .conftest import HERE, Builder, Net, inputs_of, run, spread_net, sqnr

INT8 = Settings(bits=8)


def test_the_function_stays_bit_for_bit() -> None:
    model = spread_net().model("head")
    target = load("onnxruntime-cpu")
    work = start(model, resolve(Recipe(default=INT8), model.facts, target, True), target)
    fold(work)
    before = run(serialize(work.model), inputs_of(model))
    equalize(work, {}, {})
    assert {"relu_a", "relu_b"} <= set(work.gains)
    np.testing.assert_allclose(run(serialize(work.model), inputs_of(model)), before, rtol=1e-5, atol=1e-6)


def test_spread_ranges_no_longer_cost_accuracy(make: Builder) -> None:
    model = spread_net().model("head")
    plain, repaired = (_sqnr(make, model, repair) for repair in ((), ("equalize",)))
    assert repaired > plain + 6


def test_bias_correction_takes_out_the_mean_error(make: Builder) -> None:
    model = spread_net(32).model("head")
    x = inputs_of(model)
    reference = run(serialize(model.ir), x)
    means = []
    for repair in ((), ("bias",)):
        recipe = Recipe(default=Settings(bits=3, activations=32), repair=repair)
        means.append(np.abs((run(make(model, recipe).path, x) - reference).mean(axis=0)).mean())
    assert means[1] < 0.5 * means[0]


def test_a_clip_between_two_layers_is_left_alone() -> None:
    net = Net("N", 3, 8, 8)
    bounds = [net.array("low", np.float32(0)), net.array("high", np.float32(6))]
    net.conv(net.op("Clip", [net.conv("x", "a", (3, 8)), *bounds], "clip"), "b", (8, 4))
    model, target = net.model("b"), load("onnxruntime-cpu")
    work = start(model, resolve(Recipe(default=INT8), model.facts, target, True), target)
    fold(work)
    equalize(work, {}, {})
    assert not work.gains


def _sqnr(make: Builder, model: Model, repair: tuple[str, ...]) -> float:
    x = inputs_of(model, seed=8)
    artifact = make(model, Recipe(target=HERE, default=INT8, repair=repair))
    return sqnr(run(serialize(model.ir), x), run(artifact.path, x))


def test_without_data_nothing_is_balanced_by_a_guess() -> None:
    model = spread_net().model("head")
    target = load("onnxruntime-cpu")
    for settings, guessed in ((INT8, False), (Settings(bits=8, granularity="tensor"), True)):
        work = start(model, resolve(Recipe(default=settings), model.facts, target, False), target)
        fold(work)
        equalize(work, {}, {})
        assert bool(work.gains) == guessed


def test_channels_that_are_never_active_do_not_set_the_scales_of_others(make: Builder) -> None:
    net = spread_net()
    for index, tensor in enumerate(net.weights):
        array = numpy_helper.to_array(tensor).copy()
        if tensor.name == "deep.bias":
            array[:4] = -1e4
        if tensor.name == "last.weight":
            array[:, :4] *= 500
        net.weights[index] = numpy_helper.from_array(array, tensor.name)
    plain, repaired = (_sqnr(make, net.model("head"), repair) for repair in ((), ("equalize",)))
    assert repaired > plain + 15
