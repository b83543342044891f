"""Small nets and what it takes to build artifacts of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.artifact import Artifact
from studio.compress.pipeline import build
from studio.control import Control
from studio.graph.model import Model
from studio.graph.onnx_edge import facts_of, from_proto
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe
from studio.target import OpRule, here, load

Array = np.ndarray[Any, np.dtype[Any]]

# Files that are run and held against float are built for the processor that runs them: elsewhere
# products of 8 bits may saturate. What is only looked at names its target.
HERE = here().name


class Samples:
    """Calibration data held in memory."""

    def __init__(self, key: str, **arrays: Array) -> None:
        self.key = key
        self.arrays = arrays

    def batches(self) -> Iterator[dict[str, Array]]:
        yield self.arrays


class Net:
    """A graph written down node by node; weights are seeded."""

    def __init__(self, *shape: int | str, seed: int = 0) -> None:
        self.shape = shape
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def op(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def array(self, name: str, array: Array) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def conv(
        self, source: str, name: str, channels: tuple[int, int], kernel: int = 3, group: int = 1, **more: Any
    ) -> str:
        inputs, outputs = channels
        fan = inputs // group * kernel * kernel
        weight = self.random.normal(0, (2 / fan) ** 0.5, (outputs, inputs // group, kernel, kernel))
        names = [source, self.array(f"{name}.weight", weight.astype(np.float32))]
        names.append(self.array(f"{name}.bias", self.random.normal(0, 0.1, outputs).astype(np.float32)))
        return self.op("Conv", names, name, pads=[kernel // 2] * 4, group=group, **more)

    def norm(self, source: str, name: str, channels: int) -> str:
        parts = (self.random.uniform(0.5, 2, channels), self.random.normal(0, 0.3, channels))
        parts += (self.random.normal(0, 0.3, channels), self.random.uniform(0.5, 2, channels))
        names = [self.array(f"{name}.{i}", part.astype(np.float32)) for i, part in enumerate(parts)]
        return self.op("BatchNormalization", [source, *names], name)

    def dense(self, source: str, name: str, inputs: int, outputs: int) -> str:
        weight = self.random.normal(0, inputs**-0.5, (outputs, inputs)).astype(np.float32)
        names = [source, self.array(f"{name}.weight", weight)]
        names.append(self.array(f"{name}.bias", self.random.normal(0, 0.1, outputs).astype(np.float32)))
        return self.op("Gemm", names, name, transB=1)

    def proto(self, *outputs: str, opset: int = 17) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            self.weights,
        )
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        return onnx.shape_inference.infer_shapes(proto)

    def model(self, *outputs: str, opset: int = 17) -> Model:
        return as_model(self.proto(*outputs, opset=opset))


def as_model(proto: onnx.ModelProto) -> Model:
    graph = from_proto(proto)
    return Model(facts_of(graph, path="", format="onnx", file_bytes=proto.ByteSize()), graph)


def residual_net(width: int = 16) -> Net:
    """Stem, a residual block, a depth-wise inverted block with Clip, pooling, a classifier."""
    net = Net("N", 4, 16, 16)
    stem = net.op("Relu", [net.norm(net.conv("x", "stem", (4, width)), "stem_bn", width)], "stem_out")
    one = net.op("Relu", [net.norm(net.conv(stem, "conv1", (width, width)), "bn1", width)], "relu1")
    two = net.norm(net.conv(one, "conv2", (width, width)), "bn2", width)
    block = net.op("Relu", [net.op("Add", [two, stem], "sum1")], "block1")
    bounds = [net.array("six_low", np.float32(0)), net.array("six_high", np.float32(6))]
    wide = net.op("Clip", [net.conv(block, "expand", (width, 4 * width), 1), *bounds], "clip1")
    deep = net.conv(wide, "depthwise", (4 * width, 4 * width), 3, 4 * width, strides=[2, 2])
    narrow = net.conv(net.op("Clip", [deep, *bounds], "clip2"), "project", (4 * width, width), 1)
    side = net.conv(block, "side", (width, width), 1, strides=[2, 2])
    total = net.op("Add", [narrow, side], "sum2")
    flat = net.op("Flatten", [net.op("GlobalAveragePool", [total], "pool")], "flat")
    net.dense(flat, "head", width, 10)
    return net


def spread_net(width: int = 16, seed: int = 1) -> Net:
    """Plain and depth-wise convs whose channel ranges differ by 0.05 … 20, pushed through ReLU pairs."""
    net = Net("N", 4, 12, 12, seed=seed)
    first = net.op("Relu", [net.conv("x", "first", (4, width))], "relu_a")
    deep = net.op("Relu", [net.conv(first, "deep", (width, width), 3, width)], "relu_b")
    last = net.op("Relu", [net.conv(deep, "last", (width, width), 1)], "relu_c")
    flat = net.op("Flatten", [net.op("GlobalAveragePool", [last], "pool")], "flat")
    net.dense(flat, "head", width, 10)
    for layer, follower, depthwise in (("first", "deep", True), ("deep", "last", False)):
        factors = np.exp(net.random.uniform(np.log(0.05), np.log(20), width)).astype(np.float32)
        net.weights = [_spread(each, layer, follower, depthwise, factors) for each in net.weights]
    return net


def _spread(
    tensor: onnx.TensorProto, layer: str, follower: str, depthwise: bool, factors: Array
) -> onnx.TensorProto:
    array = numpy_helper.to_array(tensor)
    if tensor.name == f"{layer}.weight":
        array = array * factors[:, None, None, None]
    elif tensor.name == f"{layer}.bias":
        array = array * factors
    elif tensor.name == f"{follower}.weight":
        array = array / (factors[:, None, None, None] if depthwise else factors[None, :, None, None])
    return numpy_helper.from_array(np.ascontiguousarray(array), tensor.name)


def inputs_of(model: Model, count: int = 32, seed: int = 5) -> Array:
    shape = [dim if isinstance(dim, int) else 1 for dim in (model.facts.inputs[0].shape or ())][1:]
    return np.random.default_rng(seed).normal(0, 1, (count, *shape)).astype(np.float32)


Builder = Callable[..., Artifact]


@pytest.fixture
def make(tmp_path: Path) -> Builder:
    """Build a recipe of a model, calibrated on noise unless `data=None`."""

    def made(
        model: Model,
        recipe: Recipe,
        *,
        data: Any = "noise",
        rules: dict[str, OpRule] | None = None,
        cache: Any = None,
    ) -> Artifact:
        source = Samples("noise", x=inputs_of(model)) if isinstance(data, str) else data
        target = load(recipe.target)
        target = msgspec.structs.replace(target, ops={**target.ops, **(rules or {})})
        plan = resolve(recipe, model.facts, target, source is not None)
        return build(model, plan, target, source, tmp_path / "out", Control(), {} if cache is None else cache)

    return made


def session(source: str | bytes, optimized: Path | None = None) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def run(source: str | bytes, x: Array) -> Array:
    return np.asarray(session(source).run(None, {"x": x})[0])


def kernels(path: str, folder: Path) -> Counter[str]:
    """How often each op is in the graph that onnxruntime really runs."""
    session(path, folder / "optimized.onnx")
    return Counter(node.op_type for node in onnx.load(folder / "optimized.onnx").graph.node)


def at_full_range(decibels: float) -> float:
    """What weights of 8 bits reach; where this computer keeps them to 7, steps are twice as wide (6 dB)."""
    return decibels - 6.02 * load(HERE).reduce_range


def sqnr(reference: Array, other: Array) -> float:
    """Signal to noise in dB."""
    noise = float(np.square(reference - other).sum())
    return float("inf") if noise == 0 else 10 * float(np.log10(np.square(reference).sum() / noise))
