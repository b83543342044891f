from __future__ import annotations

import resource
from pathlib import Path
from threading import Event

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.control import Cancelled, Control
from studio.errors import ModelError
from studio.formats.onnx_in import open_model
from studio.formats.registry import importer_for, suffixes
from studio.graph.onnx_edge import serialize
from studio.paths import resource as shipped


def net(opset: int = 17, ir_version: int = 8, width: int = 8) -> onnx.ModelProto:
    rng = np.random.default_rng(1)
    weights = [
        numpy_helper.from_array(rng.random((4, width), np.float32), "w"),
        numpy_helper.from_array(rng.random((width,), np.float32), "b"),
    ]
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["m"], name="fc"),
            helper.make_node("Add", ["m", "b"], ["a"], name="bias"),
            helper.make_node("Relu", ["a"], ["y"], name="act"),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", width])],
        weights,
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)


def test_the_shipped_sample_opens() -> None:
    model = open_model(shipped("samples", "fashion.onnx"))
    assert model.facts.format == "onnx"
    assert model.facts.layers
    assert model.facts.macs
    assert any(group.prunable for group in model.facts.groups)
    assert model.facts.file_bytes == shipped("samples", "fashion.onnx").stat().st_size


@pytest.mark.slow
@pytest.mark.parametrize(("opset", "ir_version"), [(7, 4), (26, 13)])
def test_oldest_and_newest_opset(tmp_path: Path, opset: int, ir_version: int) -> None:
    onnx.save(net(opset, ir_version), tmp_path / "m.onnx")
    assert open_model(tmp_path / "m.onnx").facts.opset == opset


@pytest.mark.slow
def test_external_data_in_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    path = tmp_path / "m.onnx"
    onnx.save(net(), path, save_as_external_data=True, location="weights/m.bin", size_threshold=0)
    model = open_model(path)
    assert model.facts.file_bytes > path.stat().st_size
    np.testing.assert_array_equal(
        model.ir.graph.initializers["w"].const_value.numpy(),
        numpy_helper.to_array(net().graph.initializer[0]),
    )


@pytest.mark.slow
def test_key_is_of_the_content_data_files_included(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    onnx.save(net(), path, save_as_external_data=True, location="m.bin", size_threshold=0)
    first = open_model(path).facts.key
    content = bytearray((tmp_path / "m.bin").read_bytes())
    content[0] ^= 1
    (tmp_path / "m.bin").write_bytes(content)
    assert open_model(path).facts.key != first


@pytest.mark.slow
def test_a_file_that_is_not_sorted_is_sorted(tmp_path: Path) -> None:
    proto = net()
    nodes = list(proto.graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend(reversed(nodes))
    onnx.save(proto, tmp_path / "m.onnx")
    model = open_model(tmp_path / "m.onnx")
    assert [node.op for node in model.facts.nodes] == ["MatMul", "Add", "Relu"]
    onnx.checker.check_model(onnx.ModelProto.FromString(serialize(model.ir)))


def test_a_useful_loop_and_small_constants_are_let_through(tmp_path: Path) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["s", "s"], ["t"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("s", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("t", TensorProto.FLOAT, None),
        ],
    )
    proto = net()
    proto.graph.initializer.append(numpy_helper.from_array(np.array(3), "trips"))
    proto.graph.node.append(helper.make_node("Loop", ["trips", "", "a"], ["z"], body=body, name="loop"))
    proto.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, None))
    onnx.save(proto, tmp_path / "m.onnx")
    assert open_model(tmp_path / "m.onnx").facts.nodes[-1].body == 2


def test_opening_can_be_cancelled(tmp_path: Path) -> None:
    onnx.save(net(), tmp_path / "m.onnx")
    cancel = Event()
    control = Control(lambda fraction, text: cancel.set(), cancel)
    with pytest.raises(Cancelled):
        open_model(tmp_path / "m.onnx", control)


class _Mine:
    name = "mine"
    suffixes: tuple[str, ...] = (".mine",)

    def accepts(self, path: Path, head: bytes) -> bool:
        return head == b"mine!"

    def read(self, path: Path, control: Control):
        raise ModelError(str(path), "read by the plug-in", "Nothing to do.")


def test_plug_ins_use_the_same_door(tmp_path: Path) -> None:
    (tmp_path / "m.mine").write_bytes(b"mine!")
    assert importer_for(tmp_path / "m.mine", [_Mine()]).name == "mine"
    with pytest.raises(ModelError, match="read by the plug-in"):
        open_model(tmp_path / "m.mine", importers=[_Mine()])
    assert ".onnx" in suffixes()
    assert ".mine" in suffixes([_Mine()])


@pytest.mark.slow
def test_more_than_two_gigabytes_outside_are_mapped_not_copied(tmp_path: Path) -> None:
    size = 4 * 4 * 140_000_000
    big = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 140_000_000])
    big.data_location = TensorProto.EXTERNAL
    big.external_data.add(key="location", value="m.bin")
    big.external_data.add(key="length", value=str(size))
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("ReduceMax", ["m"], ["y"])],
        "big",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [big],
    )
    with (tmp_path / "m.bin").open("wb") as file:
        file.truncate(size)
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = open_model(path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert model.facts.layers[0].bytes > 1 << 31
    assert grown < 300 * 1024


@pytest.mark.slow
def test_a_free_size_that_is_written_as_minus_one(tmp_path: Path) -> None:
    proto = net()
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    proto.graph.output[0].type.tensor_type.shape.dim[0].dim_value = -1
    onnx.save(proto, tmp_path / "m.onnx")
    model = open_model(tmp_path / "m.onnx")
    assert model.facts.inputs[0].shape == (None, 4)
    assert model.facts.macs == 32


@pytest.mark.slow
def test_a_sound_file_of_20788_nodes_opens(tmp_path: Path) -> None:
    model = open_model(deep(tmp_path / "deep.onnx", 20_788))
    assert len(model.facts.nodes) == 20_788


def test_a_user_who_trusts_files_gives_them_more_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = deep(tmp_path / "deep.onnx", 3)
    monkeypatch.setenv("TRIMTAB_OPEN_SECONDS", "600")
    open_model(path)
    monkeypatch.setenv("TRIMTAB_OPEN_SECONDS", "ages")
    with pytest.raises(ModelError, match="no whole number of seconds"):
        open_model(path)


def deep(path: Path, count: int) -> Path:
    """A chain of `count` named nodes."""
    nodes = [
        helper.make_node("Neg" if i % 2 else "Tanh", [f"t{i}" if i else "x"], [f"t{i + 1}"], name=f"/h/{i}/n")
        for i in range(count)
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8]) for name in ("x", f"t{count}")]
    model = helper.make_model(
        helper.make_graph(nodes, "deep", ends[:1], ends[1:]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, path)
    return path
