"""Models of 16-bit floats go to integers like any other, and keep their inputs and outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.graph.model import Model
from studio.graph.onnx_edge import facts_of, from_proto, serialize
from studio.recipe.settings import Recipe, Rule, Settings

from .conftest import (
    HERE,
    Array,
    Builder,
    Net,
    Samples,
    as_model,
    inputs_of,
    kernels,
    residual_net,
    run,
    session,
    sqnr,
)

INT8 = Recipe(target=HERE, default=Settings(bits=8))


def half_net() -> tuple[Model, Model]:
    """A residual net that computes in float16, as converters write it, and the same in float32."""
    plain = residual_net(8).model("head")
    return _narrow(plain, TensorProto.FLOAT16), plain


def _narrow(plain: Model, kind: int) -> Model:
    proto = onnx.load_from_string(serialize(plain.ir))
    for tensor in proto.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32:
            half = array.astype(helper.tensor_dtype_to_np_dtype(kind))
            tensor.CopyFrom(helper.make_tensor(tensor.name, kind, half.shape, half.tobytes(), raw=True))
    for value in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        value.type.tensor_type.elem_type = kind
    return _model(proto)


def _model(proto: onnx.ModelProto) -> Model:
    graph = from_proto(proto)
    return Model(facts_of(graph, path="m.onnx", format="onnx", file_bytes=proto.ByteSize()), graph)


def _half(model: Model) -> tuple[Samples, Array]:
    x = inputs_of(model, seed=3).astype(np.float16)
    return Samples("half", x=x), x


@pytest.mark.parametrize("bits", [8, 4])
def test_a_net_of_float16_runs_on_integers(make: Builder, tmp_path: Path, bits: int) -> None:
    model, plain = half_net()
    data, x = _half(plain)
    artifact = make(model, Recipe(target=HERE, default=Settings(bits=bits)), data=data)
    assert {each.bits for each in artifact.layers} == {bits} or bits < 8
    found = kernels(artifact.path, tmp_path)
    assert found["QLinearConv"] >= 6
    assert found["QGemm"] == 1
    assert not any(found[op] for op in ("Conv", "FusedConv", "Gemm"))
    opened = session(artifact.path)
    assert (opened.get_inputs()[0].type, opened.get_outputs()[0].type) == ("tensor(float16)",) * 2
    reference = run(serialize(plain.ir), x.astype(np.float32))
    assert sqnr(reference, run(artifact.path, x).astype(np.float32)) > (20 if bits == 8 else 8)


@pytest.mark.parametrize("structure", ["channels", "unstructured"])
def test_what_was_pruned_in_float16_is_not_taken_for_the_widened_net(make: Builder, structure: Any) -> None:
    model, cache = half_net()[0], dict[str, Any]()
    thin = Settings(sparsity=0.3, structure=structure)
    recipe = Recipe(target=HERE, default=msgspec.structs.replace(thin, bits=8, activations=32))
    make(model, Recipe(target=HERE, default=thin), data=None, cache=cache)
    assert make(model, recipe, data=None, cache=cache).sha256 == make(model, recipe, data=None).sha256


def test_channels_of_a_widened_net_go_by_what_its_outputs_of_16_bits_say(make: Builder) -> None:
    model, plain = half_net()
    asked = Recipe(target=HERE, default=Settings(bits=8, sparsity=0.3, structure="channels"))
    artifact = make(model, asked, data=_half(plain)[0])
    assert {each.bits for each in artifact.layers} == {8}
    assert any(each.sparsity > 0 for each in artifact.layers)


def test_layers_that_stay_float_keep_16_bits_in_the_file(make: Builder) -> None:
    model, plain = half_net()
    recipe = Recipe(target=HERE, rules=(Rule("head", Settings(bits=8)),))
    artifact = make(model, recipe, data=_half(plain)[0])
    assert artifact.bytes < 1.2 * model.facts.file_bytes + 2000


def test_weights_stored_in_16_bits_behind_a_cast_are_plain_weights(make: Builder, tmp_path: Path) -> None:
    plain = residual_net(8).model("head")
    stored = _model(onnx.load(make(plain, Recipe(default=Settings(bits=16))).path))
    artifact = make(stored, INT8, data=Samples("x", x=inputs_of(plain)))
    assert {each.bits for each in artifact.layers} == {8}
    assert kernels(artifact.path, tmp_path)["QLinearConv"] >= 6


def test_casts_back_and_forth_do_not_stand_between(make: Builder, tmp_path: Path) -> None:
    net = residual_net(8)
    proto = net.proto("head")
    index = next(i for i, node in enumerate(proto.graph.node) if "relu1" in node.input)
    proto.graph.node[index].input[0] = "back"
    proto.graph.node.insert(index, helper.make_node("Cast", ["there"], ["back"], to=TensorProto.FLOAT))
    proto.graph.node.insert(index, helper.make_node("Cast", ["relu1"], ["there"], to=TensorProto.FLOAT16))
    model = as_model(onnx.shape_inference.infer_shapes(proto))
    artifact = make(model, INT8)
    assert not kernels(artifact.path, tmp_path)["Cast"]


def test_layers_of_bfloat16_that_stay_float_lose_no_small_weights(make: Builder) -> None:
    net = Net("N", 3, 8, 8)
    net.conv(net.conv("x", "b", (3, 8)), "c", (8, 4))
    for index, tensor in enumerate(net.weights):
        if tensor.name == "b.weight":
            small = numpy_helper.to_array(tensor) * np.float32(2.0**-22)
            net.weights[index] = numpy_helper.from_array(small, tensor.name)
    model = _narrow(net.model("c", opset=22), TensorProto.BFLOAT16)
    recipe = Recipe(target=HERE, rules=(Rule("c", Settings(bits=8, activations=32)),))
    artifact = make(model, recipe, data=None)
    session(artifact.path)  # onnxruntime has no Conv of bfloat16: the original itself does not open
    held = {tensor.name: tensor for tensor in onnx.load(artifact.path).graph.initializer}
    given = {tensor.name: tensor for tensor in onnx.load_from_string(serialize(model.ir)).graph.initializer}
    assert held["b.weight"].data_type == TensorProto.BFLOAT16
    assert held["b.weight"].raw_data == given["b.weight"].raw_data
