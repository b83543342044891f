"""Sums of products are right on the processor that runs them, at the widths that its target gives."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from studio.artifact import Artifact
from studio.graph.model import Model
from studio.recipe.settings import Recipe, Settings
from studio.target import here

from .conftest import HERE, Array, Builder, Net, Samples, run

SHAPE = (48, 10, 10)


def _conv(net: Net) -> str:
    return net.conv("x", "y", (SHAPE[0], 32))


def _grouped(net: Net) -> str:
    return net.conv("x", "y", (SHAPE[0], 24), group=4)


def _depthwise(net: Net) -> str:
    return net.conv("x", "y", (SHAPE[0], SHAPE[0]), group=SHAPE[0])


def _gemm(net: Net) -> str:
    flat = net.op("Flatten", [net.op("GlobalAveragePool", ["x"], "pool")], "flat")
    return net.dense(flat, "y", SHAPE[0], 16)


def _matmul(net: Net) -> str:
    weight = net.random.normal(size=(SHAPE[2], 32)).astype(np.float32)
    return net.op("MatMul", ["x", net.array("w", weight)], "y")


NETS = {"conv": _conv, "grouped": _grouped, "depth-wise": _depthwise, "gemm": _gemm, "matmul": _matmul}
EIGHT = Settings(bits=8, activations=8)


def _built(make: Builder, draw: Callable[[Net], str], recipe: Recipe) -> tuple[Model, Artifact, Array]:
    """The file and what it is run on: all near the top of the range, where pairs of products are largest."""
    net = Net("N", *SHAPE)
    model = net.model(draw(net))
    x = np.random.default_rng(3).uniform(0.7, 1.0, (8, *SHAPE)).astype(np.float32)
    return model, make(model, recipe, data=Samples("high", x=x)), x


def _plain(path: str, x: Array) -> Array:
    """What the file says, op by op in float: nothing is fused, no integer kernel runs."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    opened = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return np.asarray(opened.run(None, {"x": x})[0])


def _off(path: str, x: Array) -> float:
    """The largest difference of kernels to plain sums, as a share of the output's range."""
    plain = _plain(path, x)
    return float(np.abs(run(path, x) - plain).max() / np.ptp(plain))


@pytest.mark.parametrize("storage", ["dense", "codebook"])
@pytest.mark.parametrize("kind", NETS)
def test_kernels_sum_what_the_file_says(make: Builder, kind: str, storage: str) -> None:
    wish = EIGHT if storage == "dense" else msgspec.structs.replace(EIGHT, bits=4, storage="codebook")
    _, artifact, x = _built(make, NETS[kind], Recipe(target=HERE, default=wish, repair=()))
    assert artifact.layers[0].activations == 8
    assert _off(artifact.path, x) < 1.5 / 255


@pytest.mark.skipif(not here().reduce_range, reason="this processor adds products in 32 bits")
@pytest.mark.parametrize("kind", NETS)
def test_full_range_saturates_here_but_in_depthwise_layers(make: Builder, kind: str) -> None:
    recipe = Recipe(target="onnxruntime-cpu", default=EIGHT, repair=())
    _, artifact, x = _built(make, NETS[kind], recipe)
    assert (_off(artifact.path, x) > 4 / 255) == (kind != "depth-wise")


def test_depthwise_layers_and_weights_alone_keep_eight_bits_without_vnni(make: Builder) -> None:
    widest = {}
    wishes = {"conv": EIGHT, "depth-wise": EIGHT, "alone": Settings(bits=8, activations=32)}
    for kind, wish in wishes.items():
        recipe = Recipe(target="onnxruntime-cpu-x86-avx2", default=wish, repair=())
        _, artifact, _ = _built(make, NETS.get(kind, _conv), recipe)
        arrays = [numpy_helper.to_array(each) for each in onnx.load(artifact.path).graph.initializer]
        codes = [each for each in arrays if each.dtype == np.int8 and each.ndim == 4]
        widest[kind] = max(int(np.abs(each.astype(int)).max()) for each in codes)
    assert widest == {"conv": 63, "depth-wise": 127, "alone": 127}
