from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.graph.onnx_edge import IR_MAX, clone, content_key, facts_of, from_proto, serialize

FLOAT = TensorProto.FLOAT


def info(name: str, *shape: int | str | None, dtype: int = FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def tensor(name: str, *shape: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.random.default_rng(0).random(shape, np.float32), name)


def model_of(nodes, inputs, outputs, initializers, opset: int = 17, **more) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "net", inputs, outputs, initializers)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], **({"ir_version": 8} | more)
    )


def facts(proto: onnx.ModelProto):
    return facts_of(from_proto(proto), path="net.onnx", format="onnx", file_bytes=1)


def small_net() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node(
            "Conv", ["c", "dw"], ["d"], group=8, pads=[1, 1, 1, 1], name="/block/block.0/dw/Conv"
        ),
        helper.make_node("GlobalAveragePool", ["d"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "fc", "fb"], ["y"], transB=1),
    ]
    weights = [
        tensor("w", 8, 3, 3, 3),
        tensor("b", 8),
        tensor("dw", 8, 1, 3, 3),
        tensor("fc", 10, 8),
        tensor("fb", 10),
    ]
    return model_of(nodes, [info("x", "N", 3, 16, 16)], [info("y", "N", 10)], weights)


def test_layers_with_params_bytes_and_macs_of_one_sample() -> None:
    found = facts(small_net())
    conv, depthwise, gemm = found.layers
    assert (conv.name, conv.weight, conv.bias, conv.params, conv.bytes) == ("Conv_0", "w", "b", 216, 864)
    assert conv.macs == 16 * 16 * 8 * 27
    assert (depthwise.depthwise, depthwise.macs) == (True, 16 * 16 * 8 * 9)
    assert (gemm.channel_axis, gemm.input_axis, gemm.out_channels, gemm.macs) == (0, 1, 10, 80)
    assert found.params == 216 + 8 + 72 + 80 + 10
    assert found.bytes == 4 * found.params
    assert found.macs == conv.macs + depthwise.macs + gemm.macs
    assert {layer.bits for layer in found.layers} == {32}


def test_symbols_of_the_file_are_kept_and_inner_shapes_inferred() -> None:
    found = facts(small_net())
    shapes = {each.name: each.shape for each in found.tensors}
    assert found.inputs[0].shape == ("N", 3, 16, 16)
    assert shapes["d"] == ("N", 8, 16, 16)
    assert shapes["f"] == ("N", 8)


def test_stale_value_info_is_not_believed() -> None:
    proto = small_net()
    proto.graph.value_info.append(info("c", "N", 99, 7, 7))
    shapes = {each.name: each.shape for each in facts(proto).tensors}
    assert shapes["c"] == ("N", 8, 16, 16)


def test_a_fixed_batch_is_divided_out() -> None:
    proto = small_net()
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    proto.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 4
    assert facts(proto).macs == facts(small_net()).macs


def test_names_are_unique_and_scopes_come_from_them() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="act"),
        helper.make_node("Relu", ["a"], ["b"], name="act"),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Relu", ["c"], ["y"], name="/layer1/layer1.0/conv1/Relu"),
    ]
    found = facts(model_of(nodes, [info("x", 1, 4)], [info("y", 1, 4)], []))
    assert [node.name for node in found.nodes] == ["act", "act_2", "Relu_2", "/layer1/layer1.0/conv1/Relu"]
    assert found.nodes[3].scope == ("layer1", "0", "conv1")


def test_scopes_of_torch_metadata() -> None:
    node = helper.make_node("Relu", ["x"], ["y"], name="node_relu")
    node.metadata_props.add(
        key="pkg.torch.onnx.name_scopes", value="['', 'layer1', 'layer1.0', 'layer1.0.act', 'relu']"
    )
    found = facts(model_of([node], [info("x", 1, 4)], [info("y", 1, 4)], []))
    assert found.nodes[0].scope == ("layer1", "0", "act")


def test_a_shared_weight_is_counted_once_and_noted() -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("MatMul", ["a", "w"], ["y"])]
    found = facts(model_of(nodes, [info("x", "N", 4)], [info("y", "N", 4)], [tensor("w", 4, 4)]))
    assert len(found.layers) == 2
    assert found.params == 16
    assert any("shares the weight w" in note for note in found.notes)


def test_weights_behind_constant_identity_and_dequantize() -> None:
    stored = numpy_helper.from_array(np.ones((4, 6), np.int8), "q")
    scale = numpy_helper.from_array(np.float32(0.1), "s")
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s"], ["w1"]),
        helper.make_node("MatMul", ["x", "w1"], ["a"]),
        helper.make_node("Constant", [], ["k"], value=tensor("", 6, 5)),
        helper.make_node("Identity", ["k"], ["w2"]),
        helper.make_node("MatMul", ["a", "w2"], ["y"]),
    ]
    found = facts(model_of(nodes, [info("x", "N", 4)], [info("y", "N", 5)], [stored, scale]))
    first, second = found.layers
    assert (first.weight, first.bits, first.bytes, first.weight_shape) == ("q", 8, 28, (4, 6))
    assert (second.weight, second.bits, second.params) == ("k", 32, 30)


def with_subgraph_and_function() -> onnx.ModelProto:
    branch = helper.make_graph([helper.make_node("Neg", ["x"], ["n"])], "then", [], [info("n", 1, 4)])
    other = helper.make_graph([helper.make_node("Abs", ["x"], ["m"])], "else", [], [info("m", 1, 4)])
    body = [helper.make_node("Relu", ["v"], ["r"]), helper.make_node("Neg", ["r"], ["o"])]
    function = helper.make_function("mine", "F", ["v"], ["o"], body, [helper.make_opsetid("", 17)])
    nodes = [
        helper.make_node("If", ["flag"], ["i"], then_branch=branch, else_branch=other),
        helper.make_node("F", ["i"], ["y"], domain="mine"),
    ]
    flag = numpy_helper.from_array(np.array(True), "flag")
    proto = model_of(nodes, [info("x", 1, 4)], [info("y", 1, 4)], [flag])
    proto.opset_import.append(helper.make_opsetid("mine", 1))
    proto.functions.append(function)
    proto.metadata_props.add(key="author", value="me")
    proto.graph.node[0].metadata_props.add(key="note", value="kept")
    return proto


def test_functions_subgraphs_and_metadata_survive_a_round_trip() -> None:
    before = with_subgraph_and_function()
    after = onnx.ModelProto.FromString(serialize(clone(from_proto(before))))
    onnx.checker.check_model(after)
    assert [function.name for function in after.functions] == ["F"]
    assert [len(attribute.g.node) for attribute in after.graph.node[0].attribute] == [1, 1]
    assert after.metadata_props[0].value == "me"
    assert after.graph.node[0].metadata_props[0].value == "kept"
    assert [(each.domain, each.version) for each in after.opset_import] == [("", 17), ("mine", 1)]


def test_facts_see_bodies_and_what_subgraphs_capture() -> None:
    found = facts(with_subgraph_and_function())
    assert [node.body for node in found.nodes] == [2, 2]
    assert found.nodes[0].inputs == ("x",)
    assert any("model-local functions" in note for note in found.notes)


def test_equal_models_give_equal_bytes_and_a_clone_shares_weights() -> None:
    model = from_proto(small_net())
    copy = clone(model)
    assert serialize(model) == serialize(copy) == serialize(from_proto(small_net()))
    assert content_key(model) == content_key(copy)
    weight = model.graph.initializers["w"].const_value
    assert copy.graph.initializers["w"].const_value is weight
    copy.graph[0].op_type = "Other"
    assert model.graph[0].op_type == "Conv"


def test_facts_leave_the_model_alone() -> None:
    model = from_proto(small_net())
    before = serialize(model)
    facts_of(model, path="", format="onnx", file_bytes=0)
    assert serialize(model) == before


@pytest.mark.parametrize(("given", "written"), [(8, 8), (IR_MAX + 1, IR_MAX)])
def test_ir_version_stays_unless_onnxruntime_cannot_read_it(given: int, written: int) -> None:
    proto = small_net()
    proto.ir_version = given
    after = onnx.ModelProto.FromString(serialize(from_proto(proto)))
    assert (after.ir_version, after.opset_import[0].version) == (written, 17)


def test_external_data_is_mapped_and_taken_inside(tmp_path: Path) -> None:
    onnx.save(
        small_net(), tmp_path / "net.onnx", save_as_external_data=True, location="net.bin", size_threshold=0
    )
    proto = onnx.load(tmp_path / "net.onnx", load_external_data=False)
    model = from_proto(proto, tmp_path)
    assert isinstance(model.graph.initializers["w"].const_value, ir.ExternalTensor)
    after = onnx.ModelProto.FromString(serialize(model))
    for before, now in zip(small_net().graph.initializer, after.graph.initializer, strict=True):
        np.testing.assert_array_equal(numpy_helper.to_array(before), numpy_helper.to_array(now))
