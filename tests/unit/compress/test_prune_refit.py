"""Single weights: what stays is fitted anew, exactly where that can be had, and zeros stay zeros."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from studio.artifact import Artifact
from studio.compress.pipeline import build
from studio.compress.pruning.masks import magnitude_mask
from studio.compress.pruning.refit import moments, refitted, scores
from studio.control import Control
from studio.graph.model import Model
from studio.graph.onnx_edge import facts_of, from_proto, serialize
from studio.graph.trace import KEPT, read_kept, write_kept
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Settings
from studio.target import load

Array = np.ndarray[Any, np.dtype[Any]]
HALF = Settings(sparsity=0.5, structure="unstructured")


def problem(seed: int, groups: int, outputs: int, inputs: int) -> tuple[Array, Array]:
    """Correlated rows (G, 400, K) with a mean, and weights (G, O, K)."""
    random = np.random.default_rng(seed)
    mix = random.normal(size=(groups, inputs, inputs))
    rows = np.matmul(random.normal(size=(groups, 400, inputs)), mix) + random.normal(size=(groups, 1, inputs))
    return rows.astype(np.float32), random.normal(size=(groups, outputs, inputs)).astype(np.float32)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 9), st.integers(1, 3), st.integers(1, 5), st.integers(2, 12))
def test_the_fit_is_never_worse_than_zeros_alone_and_keeps_them(
    seed: int, groups: int, outputs: int, inputs: int
) -> None:
    rows, weight = problem(seed, groups, outputs, inputs)
    seen = moments(rows, rows)
    mask = magnitude_mask(scores(weight, seen), 0.5)
    found, shift = refitted(weight, mask, seen)
    assert not found[~mask].any()
    exact = np.matmul(rows, weight.transpose(0, 2, 1))
    plain = np.matmul(rows, (weight * mask).transpose(0, 2, 1))
    fitted = np.matmul(rows, found.transpose(0, 2, 1)) + shift.reshape(groups, 1, outputs)
    assert np.square(fitted - exact).mean() <= np.square(plain - exact).mean() * 1.001 + 1e-6


def test_nothing_masked_is_nothing_changed() -> None:
    rows, weight = problem(0, 2, 4, 6)
    found, shift = refitted(weight, np.ones(weight.shape, dtype=np.bool_), moments(rows, rows))
    np.testing.assert_allclose(found, weight, atol=1e-3)
    np.testing.assert_allclose(shift, 0, atol=1e-2)


def arrays() -> dict[str, Array]:
    random = np.random.default_rng(0)
    shapes = {"w1": (12, 3, 3, 3), "w2": (12, 1, 3, 3), "w3": (5, 12, 1, 1), "b3": (5,)}
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def tiny() -> Model:
    """A wide 3×3 convolution, a depth-wise one and a classifier, on 6×6 places."""
    held = [numpy_helper.from_array(array, name) for name, array in arrays().items()]
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], name="wide", pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["b"], name="relu"),
        helper.make_node("Conv", ["b", "w2"], ["c"], name="deep", group=12, strides=[2, 2]),
        helper.make_node("Conv", ["c", "w3", "b3"], ["y"], name="last"),
    ]
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", ["n", 3, 6, 6]), ("y", None))
    )
    graph = helper.make_graph(nodes, "net", [x], [y], held)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model = from_proto(onnx.shape_inference.infer_shapes(proto))
    return Model(facts_of(model, path="", format="onnx", file_bytes=proto.ByteSize()), model)


class Noise:
    """Correlated pictures."""

    key = "noise"

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.x = (random.normal(size=(64, 3, 6, 6)) + 2 * random.normal(size=(64, 1, 6, 6))).astype(
            np.float32
        )

    def batches(self) -> Iterator[dict[str, Array]]:
        yield {"x": self.x}


def built(folder: Path, source: Noise | None, wish: Settings = HALF) -> Artifact:
    model, target = tiny(), load("onnxruntime-cpu")
    plan = resolve(Recipe(default=wish), model.facts, target, source is not None)
    return build(model, plan, target, source, folder, Control(), {})


def output(model: bytes | str, x: Array) -> Array:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


def test_on_samples_it_has_not_seen_the_fit_is_closer_than_the_smallest_alone(tmp_path: Path) -> None:
    unseen = Noise(2).x
    exact = output(serialize(tiny().ir), unseen)
    errors = []
    for source in (None, Noise(1)):
        artifact = built(tmp_path, source)
        assert [round(layer.sparsity, 2) for layer in artifact.layers] == [0.5, 0.5, 0.5]
        errors.append(float(np.square(output(artifact.path, unseen) - exact).mean()))
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.slow
@given(st.dictionaries(st.text(max_size=4), st.sets(st.integers(0, 300), min_size=1), max_size=4))
def test_the_file_tells_which_channels_were_kept(kept: dict[str, set[int]]) -> None:
    plain = {name: tuple(sorted(places)) for name, places in kept.items()}
    text = write_kept(plain, dict.fromkeys(plain, 301))
    assert read_kept({KEPT: text}) == plain


def test_a_strangers_text_is_ignored() -> None:
    for text in ("[]", "{", '{"a":"2:ff"}', '{"a":3,"b":"9999999:1"}', '{"a":"-1:1"}'):
        assert read_kept({KEPT: text}) == {}


def test_a_threshold_takes_what_lies_below_it(tmp_path: Path) -> None:
    artifact = built(tmp_path, None, Settings(threshold=0.5, storage="dense"))
    for layer, array in zip(artifact.layers, list(arrays().values()), strict=False):
        assert layer.structure == "unstructured"
        assert abs(layer.sparsity - float((np.abs(array) <= 0.5).mean())) < 1e-6
    assert built(tmp_path, Noise(1), Settings(threshold=0.5)).calibration == Noise(1).key
    everything = built(tmp_path, None, Settings(threshold=100.0))
    assert all(0.9 < layer.sparsity <= 0.96 for layer in everything.layers)
    assert "of a layer's weights go" in everything.layers[0].refused[-1].reason


@pytest.mark.parametrize("source", [None, Noise(1)])
def test_a_pattern_that_a_layer_is_too_narrow_for_is_refused(tmp_path: Path, source: Noise | None) -> None:
    artifact = built(tmp_path, source, Settings(pattern="2:4"))
    assert [round(layer.sparsity, 2) for layer in artifact.layers] == [0.33, 0.0, 0.5]
    assert "fewer than" in artifact.layers[1].refused[-1].reason
