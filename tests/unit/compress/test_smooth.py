"""SmoothQuant: the function stays, the noise goes down, and nothing is touched where it would not help."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from studio.graph.model import Model
from studio.graph.onnx_edge import serialize
from studio.recipe.settings import Recipe, Settings

from .conftest import HERE, Builder, Net, Samples, as_model, run, sqnr

WIDTH = 32


def outlier_net(norm: str = "LayerNormalization", gemm: bool = False, spread: float = 50.0) -> Net:
    """A normalization whose channels differ in range, and two products behind it that make up for it."""
    net = Net("N", WIDTH) if gemm else Net("N", 5, WIDTH)
    factors = np.ones(WIDTH, np.float32)
    factors[[3, 17, 20]] = spread
    net.array("gamma", (net.random.uniform(0.5, 1.5, WIDTH) * factors).astype(np.float32))
    net.array("beta", (net.random.normal(0, 0.2, WIDTH) * factors).astype(np.float32))
    if norm == "LayerNormalization":
        source = net.op(norm, ["x", "gamma", "beta"], "norm", axis=-1)
    else:
        source = net.op("Add", [net.op("Mul", ["x", "gamma"], "scaled"), "beta"], "norm")
    for name in ("a", "b"):
        weight = net.random.normal(0, WIDTH**-0.5, (WIDTH, 16)) / factors[:, None]
        if gemm:
            net.op("Gemm", [source, net.array(f"{name}.w", weight.T.astype(np.float32))], name, transB=1)
        else:
            net.op("MatMul", [source, net.array(f"{name}.w", weight.astype(np.float32))], name)
    net.op("Concat", ["a", "b"], "y", axis=-1)
    return net


def samples(model: Model) -> tuple[Samples, Any]:
    shape = [each for each in (model.facts.inputs[0].shape or ()) if isinstance(each, int)]
    x = np.random.default_rng(2).normal(0, 1, (64, *shape)).astype(np.float32)
    return Samples("outliers", x=x), x


@pytest.mark.parametrize(
    ("norm", "gemm"), [("LayerNormalization", False), ("LayerNormalization", True), ("Mul", False)]
)
def test_large_channels_go_into_the_weights(make: Builder, norm: str, gemm: bool) -> None:
    model = outlier_net(norm, gemm).model("y")
    data, x = samples(model)
    reference = run(serialize(model.ir), x)
    plain, smoothed = (
        make(model, Recipe(target=HERE, default=Settings(bits=8), repair=repair), data=data)
        for repair in ((), ("smooth",))
    )
    assert sqnr(reference, run(smoothed.path, x)) > sqnr(reference, run(plain.path, x)) + 8
    assert not plain.notes
    assert "smoothed 1 inputs" in smoothed.notes[0]


def test_factors_are_powers_of_two_and_the_float_function_stays(make: Builder) -> None:
    model = outlier_net().model("y")
    data, _ = samples(model)
    built = onnx.load(make(model, Recipe(default=Settings(bits=8), repair=("smooth",)), data=data).path)
    arrays = {each.name: numpy_helper.to_array(each) for each in built.graph.initializer}
    before = {each.name: numpy_helper.to_array(each) for each in outlier_net().weights}
    ratio = np.log2(before["gamma"] / arrays["gamma"])
    assert np.array_equal(ratio, np.rint(ratio))
    assert ratio[[3, 17, 20]].min() > np.median(ratio)
    assert np.array_equal(before["beta"], arrays["beta"] * np.exp2(ratio).astype(np.float32))


def test_even_channels_and_other_readers_leave_it_alone(make: Builder) -> None:
    recipe = Recipe(default=Settings(bits=8), repair=("smooth",))
    even = outlier_net(spread=1.0).model("y")
    assert not make(even, recipe, data=samples(even)[0]).notes
    shared = outlier_net()
    shared.op("Add", ["norm", "x"], "side")
    model = as_model(shared.proto("y", "side"))
    assert not make(model, recipe, data=samples(model)[0]).notes
