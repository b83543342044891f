"""One pattern per test: which kernels onnxruntime runs where ops lie between integer convolutions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.graph.onnx_edge import serialize
from studio.recipe.settings import Recipe, Settings

from .conftest import HERE, Builder, Net, inputs_of, kernels, run, sqnr

WIDTH = 16
Between = Callable[[Net, str], str]


def unary(op: str, **attributes: Any) -> Between:
    return lambda net, source: net.op(op, [source], "between", **attributes)


def clip6(net: Net, source: str) -> str:
    bounds = [net.array("low", np.float32(0)), net.array("high", np.float32(6))]
    return net.op("Clip", [source, *bounds], "between")


def swish(net: Net, source: str) -> str:
    return net.op("Mul", [source, net.op("Sigmoid", [source], "gate")], "between")


def squeeze(net: Net, source: str) -> str:
    """Squeeze and excitation."""
    pooled = net.op("GlobalAveragePool", [source], "pooled")
    gate = net.op("Sigmoid", [net.conv(pooled, "gate_conv", (WIDTH, WIDTH), 1)], "gate")
    return net.op("Mul", [source, gate], "between")


def add(net: Net, source: str) -> str:
    return net.op("Relu", [net.op("Add", [source, net.conv("x", "other", (4, WIDTH), 1)], "sum")], "between")


def concat(net: Net, source: str) -> str:
    other = net.op("Relu", [net.conv("x", "other", (4, WIDTH), 1)], "other_out")
    both = net.op("Concat", [source, other], "both", axis=1)
    return net.conv(both, "between", (2 * WIDTH, WIDTH), 1)


def split(net: Net, source: str) -> str:
    """A shuffle: halves swapped."""
    sizes = net.array("sizes", np.array([WIDTH // 2, WIDTH // 2], np.int64))
    net.op("Split", [source, sizes], "half", axis=1)
    net.nodes[-1].output.append("rest")
    return net.op("Concat", ["rest", "half"], "between", axis=1)


PAIRS = ("QuantizeLinear", "DequantizeLinear")
FLOATS = {"Conv", "FusedConv", "Relu", "Clip", "Add", "Concat", "LeakyRelu", "MaxPool", "Sigmoid"}
POOL: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}


@pytest.mark.parametrize(
    ("between", "wanted", "pairs"),
    [
        pytest.param(unary("Relu"), {}, 0, id="relu"),
        pytest.param(clip6, {}, 0, id="relu6"),
        pytest.param(unary("LeakyRelu", alpha=0.1), {"QLinearLeakyRelu": 1}, 0, id="leaky"),
        pytest.param(unary("MaxPool", **POOL), {"NhwcMaxPool": 1}, 0, id="maxpool"),
        pytest.param(unary("AveragePool", **POOL), {"QLinearAveragePool": 1}, 0, id="averagepool"),
        pytest.param(unary("Sigmoid"), {"QLinearSigmoid": 1}, 0, id="sigmoid"),
        pytest.param(swish, {"QLinearSigmoid": 1, "QLinearMul": 1}, 0, id="swish"),
        pytest.param(
            squeeze,
            {"QLinearGlobalAveragePool": 1, "QLinearSigmoid": 1, "QLinearMul": 1, "QLinearConv": 3},
            0,
            id="squeeze",
        ),
        pytest.param(add, {"QLinearAdd": 1, "QLinearConv": 3}, 0, id="add"),
        pytest.param(concat, {"QLinearConcat": 1, "QLinearConv": 4}, 0, id="concat"),
        pytest.param(split, {"Split": 1}, 0, id="split"),
        pytest.param(unary("HardSwish"), {"HardSigmoid": 1, "Mul": 1}, 2, id="hardswish"),
        pytest.param(unary("Softplus"), {"Softplus": 1}, 2, id="float island"),
    ],
)
def test_between_two_convolutions(
    make: Builder, tmp_path: Path, between: Between, wanted: dict[str, int], pairs: int
) -> None:
    net = Net("N", 4, 8, 8)
    net.conv(between(net, net.conv("x", "first", (4, WIDTH))), "y", (WIDTH, 8))
    model = net.model("y", opset=18)
    artifact = make(model, Recipe(target=HERE, default=Settings(bits=8)))
    found = kernels(artifact.path, tmp_path)
    assert {op: found[op] for op in {"QLinearConv": 0, **wanted}} == {"QLinearConv": 2, **wanted}
    assert sum(found[op] for op in PAIRS) == 2 + pairs
    assert not {op for op, count in found.items() if count} & (FLOATS - set(wanted))
    x = inputs_of(model, seed=8)
    assert sqnr(run(serialize(model.ir), x), run(artifact.path, x)) > 20


@pytest.mark.slow
def test_a_narrow_stem_and_the_pool_behind_it_stay_float(make: Builder, tmp_path: Path) -> None:
    net = Net("N", 3, 16, 16)
    stem = net.op("Relu", [net.conv("x", "stem", (3, WIDTH))], "stem_out")
    net.conv(net.op("MaxPool", [stem], "pooled", **POOL), "y", (WIDTH, 8))
    artifact = make(net.model("y"), Recipe(default=Settings(bits=8)))
    found = kernels(artifact.path, tmp_path)
    assert found["QLinearConv"] == 1
    assert found["Conv"] + found["FusedConv"] == found["MaxPool"] == found["QuantizeLinear"] == 1
    outcome = {each.layer: each for each in artifact.layers}["stem"]
    assert (outcome.bits, outcome.activations) == (8, 32)
    asked = make(net.model("y"), Recipe(default=Settings(bits=8, activations=8)))
    assert kernels(asked.path, tmp_path)["QLinearConv"] == 2
