"""Folding changes the graph, not the function, and layers keep their names."""

from __future__ import annotations

import numpy as np
import pytest

from studio.compress.parts import bias_array
from studio.compress.prepare.fold import fold
from studio.compress.work import Work, start
from studio.graph.model import Model
from studio.graph.onnx_edge import serialize
from studio.recipe.resolve import Plan, resolve
from studio.recipe.settings import Recipe, Settings
from studio.target import load

from .conftest import Net, inputs_of, residual_net, run, sqnr


def folded(model: Model, bits: int = 8) -> Work:
    target = load("onnxruntime-cpu")
    plan = resolve(Recipe(default=Settings(bits=bits)), model.facts, target, True)
    work = start(model, plan, target)
    fold(work)
    return work


def ops(work: Work) -> list[str]:
    return [node.op_type for node in work.model.graph]


def test_batch_norms_go_into_the_convolutions_before_them() -> None:
    model = residual_net().model("head")
    before = serialize(model.ir)
    work = folded(model)
    x = inputs_of(model)
    assert "BatchNormalization" not in ops(work)
    assert sqnr(run(before, x), run(serialize(work.model), x)) > 100
    assert serialize(model.ir) == before


def test_a_folded_layer_gives_its_output_the_last_name() -> None:
    work = folded(residual_net().model("head"))
    assert work.nodes["conv1"].name == "conv1"
    assert work.nodes["conv1"].outputs[0].name == "bn1"
    assert work.nodes["conv1"].inputs[1].name == "conv1.weight"


def test_identities_and_dropout_go_and_outputs_keep_their_names() -> None:
    net = Net("N", 3, 8, 8)
    middle = net.op("Dropout", [net.op("Identity", [net.conv("x", "c", (3, 4))], "same")], "dropped")
    net.op("Identity", [middle], "y")
    model = net.model("y")
    work = folded(model)
    assert ops(work) == ["Conv"]
    assert [value.name for value in work.model.graph.outputs] == ["y"]
    assert (
        sqnr(run(serialize(model.ir), inputs_of(model)), run(serialize(work.model), inputs_of(model))) > 100
    )


@pytest.mark.parametrize("op", ["Mul", "Add", "Sub", "Div"])
def test_arithmetic_with_one_number_per_channel_is_folded(op: str) -> None:
    net = Net("N", 3, 8, 8)
    vector = net.array("v", net.random.uniform(0.5, 2, (1, 4, 1, 1)).astype(np.float32))
    net.op(op, [net.conv("x", "c", (3, 4)), vector], "y")
    model = net.model("y")
    work = folded(model)
    assert ops(work) == ["Conv"]
    assert (
        sqnr(run(serialize(model.ir), inputs_of(model)), run(serialize(work.model), inputs_of(model))) > 100
    )


def test_a_shared_output_is_not_folded() -> None:
    net = Net("N", 3, 8, 8)
    conv = net.conv("x", "c", (3, 4))
    net.op("Add", [net.norm(conv, "bn", 4), conv], "y")
    assert ops(folded(net.model("y"))) == ["Conv", "BatchNormalization", "Add"]


def test_a_matrix_product_and_a_vector_are_one_gemm() -> None:
    net = Net("N", 12)
    weight = net.array("w", net.random.normal(size=(12, 5)).astype(np.float32))
    product = net.op("MatMul", ["x", weight], "product")
    net.op("Add", [net.array("b", net.random.normal(size=5).astype(np.float32)), product], "y")
    model = net.model("y")
    work = folded(model)
    assert ops(work) == ["Gemm"]
    assert (
        sqnr(run(serialize(model.ir), inputs_of(model)), run(serialize(work.model), inputs_of(model))) > 100
    )


def test_old_opsets_are_raised_and_new_ones_refused() -> None:
    old = residual_net().model("head", opset=11)
    work = folded(old)
    assert work.model.opset_imports[""] == 21
    assert sqnr(run(serialize(old.ir), inputs_of(old)), run(serialize(work.model), inputs_of(old))) > 90


def test_a_plan_without_wishes_touches_nothing() -> None:
    model = residual_net().model("head")
    work = start(model, Plan((), "minmax", 1, ()), load("onnxruntime-cpu"))
    assert work.model.opset_imports == model.ir.opset_imports


def test_a_constant_behind_identity_is_as_good_as_one() -> None:
    net = Net("N", 3, 8, 8)
    first = net.conv("x", "c1", (3, 4))
    bias = net.op("Identity", ["c1.bias"], "same_bias")
    weight = net.array("c2.weight", net.random.normal(0, 0.2, (4, 4, 1, 1)).astype(np.float32))
    net.op("Conv", [first, weight, bias], "c2")
    model = net.model("c2")
    work = folded(model)
    assert ops(work) == ["Conv", "Conv"]
    assert bias_array(work.nodes["c2"], 4) is not None
    assert (
        sqnr(run(serialize(model.ir), inputs_of(model)), run(serialize(work.model), inputs_of(model))) > 100
    )


@pytest.mark.parametrize("opset", [13, 17, 21])
def test_attributes_that_the_specification_takes_for_granted_go(opset: int) -> None:
    net = Net("N", 3, 8, 8)
    plain = {"strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0], "group": 1, "auto_pad": "NOTSET"}
    wide = {"kernel_shape": [3, 3], "strides": [2, 2], "dilations": [1, 1], "pads": [1, 1, 1, 1]}
    pool = {"kernel_shape": [2, 2], "strides": [1, 1], "pads": [0, 0, 0, 0], "ceil_mode": 1}
    weights = [
        net.array("w", np.ones((4, 3, 1, 1), np.float32)),
        net.array("v", np.ones((4, 4, 3, 3), np.float32)),
    ]
    middle = net.op("Conv", [net.op("Conv", ["x", weights[0]], "c", **plain), weights[1]], "d", **wide)
    net.op("Softmax", [net.op("MaxPool", [middle], "p", **pool)], "y", axis=-1)
    model = net.model("y", opset=opset)
    work = folded(model)
    kept = {node.outputs[0].name: set(node.attributes) for node in work.model.graph}
    assert kept == {
        "c": set(),
        "d": {"kernel_shape", "strides", "pads"},
        "p": {"kernel_shape", "ceil_mode"},
        "y": set(),
    }
    x = inputs_of(model)
    np.testing.assert_array_equal(run(serialize(work.model), x), run(serialize(model.ir), x))
