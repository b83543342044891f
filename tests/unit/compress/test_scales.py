"""Scales and biases in two bytes: onnxruntime makes of them what we count with, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.compress.levels.weights import Levels
from studio.compress.work import Array, Work, start
from studio.compress.write.scales import narrowed, place_bias, place_scale
from studio.compress.write.storage import Shelf
from studio.graph.onnx_edge import serialize
from studio.recipe.resolve import Plan
from studio.recipe.settings import Recipe, Settings
from studio.target import load

from .conftest import Builder, Net, inputs_of, kernels, residual_net, run, session, sqnr

channels = st.sampled_from([1, 2, 31, 32, 33, 80])
spreads = st.floats(-9.0, 1.0)


def _levels(count: int, low: float, high: float, seed: int) -> Levels:
    random = np.random.default_rng(seed)
    low, high = sorted((low, high))
    scale = (10 ** random.uniform(low, high, count)).astype(np.float32)
    return Levels(np.zeros((count, 4), np.int8), scale, 0, 8, None)


def _work() -> Work:
    net = Net("N", 4)
    names = [net.array("w", np.zeros((4, 1), np.float32)), net.array("b", np.zeros(1, np.float32))]
    net.op("Gemm", ["x", *names], "y")
    return start(net.model("y"), Plan((), "minmax", 1, ()), load("onnxruntime-cpu"))


def _given_out(work: Work, value: ir.Value) -> Array:
    node = ir.node("Identity", [value])
    node.outputs[0].name, node.outputs[0].type = "out", ir.TensorType(ir.DataType.FLOAT)
    work.model.graph.append(node)
    work.model.graph.outputs.append(node.outputs[0])
    work.model.ir_version, work.model.opset_imports[""] = 10, 21
    return np.asarray(session(serialize(work.model)).run(["out"], {"x": np.zeros((1, 4), np.float32)})[0])


@settings(max_examples=25, deadline=None)
@given(channels, spreads, spreads, st.integers(0, 999))
def test_scales_come_back_and_hardly_move(count: int, low: float, high: float, seed: int) -> None:
    levels = _levels(count, low, high, seed)
    ours, work = narrowed(levels), _work()
    value = place_scale(Shelf(work), next(iter(work.model.graph)), ours)
    np.testing.assert_array_equal(_given_out(work, value).reshape(-1), ours.scale)
    np.testing.assert_allclose(ours.scale, levels.scale, rtol=2.0**-10.9)


@settings(max_examples=25, deadline=None)
@given(channels, spreads, st.floats(0, 6), st.integers(0, 999))
def test_biases_lose_nothing_by_being_short(count: int, low: float, reach: float, seed: int) -> None:
    levels, work = narrowed(_levels(count, low, low + 0.5, seed)), _work()
    shelf, node = Shelf(work), next(iter(work.model.graph))
    scale = work.constant(np.array(0.0173, np.float32))
    unit = np.float32(0.0173) * levels.scale
    codes = np.rint(np.random.default_rng(seed).uniform(-1, 1, count) * 10**reach)
    bias = (codes * unit.astype(np.float64)).astype(np.float32)
    made = place_bias(shelf, node, bias, scale, place_scale(shelf, node, levels), levels)
    node.resize_inputs(2)
    np.testing.assert_array_equal(_given_out(work, made).reshape(-1), codes.astype(np.float32) * unit)


@pytest.mark.slow
def test_files_hold_two_bytes_for_each_and_run_on_the_same_kernels(make: Builder, tmp_path: Path) -> None:
    model = residual_net(32).model("head")
    artifact = make(model, Recipe(target="onnxruntime-cpu-x86-avx2", default=Settings(bits=4)))
    held = {tensor.data_type for tensor in onnx.load(artifact.path).graph.initializer if tensor.dims != []}
    assert {onnx.TensorProto.FLOAT16, onnx.TensorProto.INT16} <= held
    assert all(not node.name.startswith("node_") for node in onnx.load(artifact.path).graph.node)
    found = kernels(artifact.path, tmp_path)
    assert (found["QLinearConv"], found["QLinearAdd"], found["QGemm"], found["Cast"]) == (7, 2, 1, 0)
    x = inputs_of(model, seed=9)
    assert sqnr(run(serialize(model.ir), x), run(artifact.path, x)) > 15
