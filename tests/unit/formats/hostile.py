"""Forty files made to do harm or to disappoint. Each maker writes into a folder and returns the path."""

from __future__ import annotations

import os
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Maker = Callable[[Path], Path]
MAKERS: dict[str, Maker] = {}
FLOAT = TensorProto.FLOAT


def hostile(maker: Maker) -> Maker:
    MAKERS[maker.__name__] = maker
    return maker


def sound(nodes=None, initializers=None, opset=17, ir_version=8, shape=(1, 4)) -> onnx.ModelProto:
    """A small model that opens: y = Relu(x + b), unless parts of it are replaced."""
    if nodes is None:
        nodes = [
            helper.make_node("Add", ["x", "b"], ["s"], name="add"),
            helper.make_node("Relu", ["s"], ["y"], name="relu"),
        ]
    if initializers is None:
        initializers = [numpy_helper.from_array(np.ones(4, np.float32), "b")]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", FLOAT, shape)],
        [helper.make_tensor_value_info("y", FLOAT, None)],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)


def saved(folder: Path, model: onnx.ModelProto | bytes, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path


def external(location: str, length: int | None = 16, offset: int | None = None) -> onnx.ModelProto:
    tensor = TensorProto(name="b", data_type=FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("length", length), ("offset", offset)):
        if value is not None:
            tensor.external_data.add(key=key, value=str(value))
    return sound(initializers=[tensor])


def constant(name: str, values: object, dtype: type = np.int64) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(values, dtype)))


def loop_body(keep: str) -> onnx.GraphProto:
    return helper.make_graph(
        [
            helper.make_node("Identity", [keep], ["keep_on"]),
            helper.make_node("Add", ["state", "state"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("cond", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", FLOAT, [4]),
        ],
        [
            helper.make_tensor_value_info("keep_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", FLOAT, [4]),
        ],
    )


@hostile
def empty_file(folder: Path) -> Path:
    return saved(folder, b"")


@hostile
def a_folder(folder: Path) -> Path:
    path = folder / "model.onnx"
    path.mkdir()
    return path


@hostile
def a_missing_file(folder: Path) -> Path:
    return folder / "nowhere.onnx"


@hostile
def a_picture(folder: Path) -> Path:
    return saved(folder, b"\x89PNG\r\n\x1a\n" + bytes(100))


@hostile
def a_text(folder: Path) -> Path:
    return saved(folder, b"this is my model, honest\n" * 20)


@hostile
def a_web_page(folder: Path) -> Path:
    return saved(folder, b"<!DOCTYPE html><html><body>404</body></html>")


@hostile
def a_git_lfs_pointer(folder: Path) -> Path:
    return saved(folder, b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n")


@hostile
def a_zip(folder: Path) -> Path:
    path = folder / "model.onnx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return path


@hostile
def a_tflite_file(folder: Path) -> Path:
    return saved(folder, b"\x1c\x00\x00\x00TFL3" + bytes(64))


@hostile
def a_gguf_file(folder: Path) -> Path:
    return saved(folder, b"GGUF\x03\x00\x00\x00" + bytes(64))


@hostile
def a_safetensors_file(folder: Path) -> Path:
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    return saved(folder, struct.pack("<Q", len(header)) + header + bytes(4))


@hostile
def an_hdf5_file(folder: Path) -> Path:
    return saved(folder, b"\x89HDF\r\n\x1a\n" + bytes(64))


@hostile
def a_named_pipe(folder: Path) -> Path:
    path = folder / "model.onnx"
    os.mkfifo(path)
    return path


@hostile
def random_bytes(folder: Path) -> Path:
    return saved(folder, b"\x08" + random.Random(7).randbytes(5000))


@hostile
def a_pickle(folder: Path) -> Path:
    return saved(folder, b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94.")


@hostile
def a_sparse_giant(folder: Path) -> Path:
    path = saved(folder, sound())
    with path.open("r+b") as file:
        file.truncate(5 << 30)
    return path


@hostile
def cut_short(folder: Path) -> Path:
    return saved(folder, sound(shape=(1, 4)).SerializeToString()[:-20])


@hostile
def no_graph(folder: Path) -> Path:
    return saved(folder, onnx.ModelProto(ir_version=8, opset_import=[helper.make_opsetid("", 17)]))


@hostile
def wild_nesting_of_messages(folder: Path) -> Path:
    inner = b""
    for _ in range(3000):  # graph → node → attribute → graph …
        inner = _field(6, _field(5, _field(1, inner)))
    return saved(folder, b"\x08\x08" + _field(7, inner[:]))


@hostile
def names_that_are_not_text(folder: Path) -> Path:
    content = sound().SerializeToString()
    return saved(folder, content.replace(b"relu", b"\xff\xfe\xfd\xfc"))


@hostile
def a_name_of_a_megabyte(folder: Path) -> Path:
    return saved(folder, sound([helper.make_node("Relu", ["x"], ["y"], name="n" * (1 << 20))]))


@hostile
def opset_from_the_future(folder: Path) -> Path:
    return saved(folder, sound(opset=99))


@hostile
def ir_version_from_the_future(folder: Path) -> Path:
    return saved(folder, sound(ir_version=99))


@hostile
def opset_from_the_past(folder: Path) -> Path:
    return saved(folder, sound(opset=3, ir_version=3))


@hostile
def unknown_domain(folder: Path) -> Path:
    node = helper.make_node("Add", ["x", "b"], ["y"], domain="com.evil")
    model = sound([node])
    model.opset_import.append(helper.make_opsetid("com.evil", 1))
    return saved(folder, model)


@hostile
def unknown_op(folder: Path) -> Path:
    return saved(folder, sound([helper.make_node("Frobnicate", ["x"], ["y"])]))


@hostile
def terabytes_promised(folder: Path) -> Path:
    return saved(
        folder, sound(initializers=[TensorProto(name="b", data_type=FLOAT, dims=[1 << 20, 1 << 20])])
    )


@hostile
def dims_that_overflow(folder: Path) -> Path:
    tensor = TensorProto(name="b", data_type=FLOAT, dims=[1 << 40, 1 << 40, 4], raw_data=bytes(16))
    return saved(folder, sound(initializers=[tensor]))


@hostile
def negative_dims(folder: Path) -> Path:
    tensor = TensorProto(name="b", data_type=FLOAT, dims=[-4], raw_data=bytes(16))
    return saved(folder, sound(initializers=[tensor]))


@hostile
def too_little_data(folder: Path) -> Path:
    tensor = TensorProto(name="b", data_type=FLOAT, dims=[4], raw_data=bytes(7))
    return saved(folder, sound(initializers=[tensor]))


@hostile
def unknown_tensor_type(folder: Path) -> Path:
    tensor = TensorProto(name="b", data_type=77, dims=[4], raw_data=bytes(16))
    return saved(folder, sound(initializers=[tensor]))


@hostile
def negative_input_dims(folder: Path) -> Path:
    return saved(folder, sound(shape=(-7, 4)))


@hostile
def data_at_an_absolute_path(folder: Path) -> Path:
    return saved(folder, external("/etc/hostname"))


@hostile
def data_above_the_folder(folder: Path) -> Path:
    (folder / "secret.bin").write_bytes(bytes(16))
    (folder / "inner").mkdir()
    return saved(folder / "inner", external("../secret.bin"))


@hostile
def data_behind_a_symlink(folder: Path) -> Path:
    (folder / "data.bin").symlink_to("/etc/hostname")
    return saved(folder, external("data.bin"))


@hostile
def data_behind_a_linked_folder(folder: Path) -> Path:
    (folder / "sub").symlink_to("/etc")
    return saved(folder, external("sub/hostname"))


@hostile
def data_behind_a_hard_link(folder: Path) -> Path:
    (folder / "other.bin").write_bytes(bytes(16))
    (folder / "data.bin").hardlink_to(folder / "other.bin")
    return saved(folder, external("data.bin"))


@hostile
def data_from_a_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "data.bin")
    return saved(folder, external("data.bin"))


@hostile
def data_from_a_folder(folder: Path) -> Path:
    (folder / "data.bin").mkdir()
    return saved(folder, external("data.bin"))


@hostile
def data_missing(folder: Path) -> Path:
    return saved(folder, external("data.bin"))


@hostile
def data_past_the_end(folder: Path) -> Path:
    (folder / "data.bin").write_bytes(bytes(16))
    return saved(folder, external("data.bin", offset=8))


@hostile
def data_of_a_terabyte(folder: Path) -> Path:
    (folder / "data.bin").write_bytes(bytes(16))
    return saved(folder, external("data.bin", length=1 << 40))


@hostile
def data_at_a_negative_offset(folder: Path) -> Path:
    (folder / "data.bin").write_bytes(bytes(64))
    return saved(folder, external("data.bin", offset=-8))


@hostile
def a_cycle(folder: Path) -> Path:
    nodes = [
        helper.make_node("Add", ["x", "c"], ["a"]),
        helper.make_node("Relu", ["a"], ["c"]),
        helper.make_node("Relu", ["a"], ["y"]),
    ]
    return saved(folder, sound(nodes))


@hostile
def one_name_made_twice(folder: Path) -> Path:
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["y"])]
    return saved(folder, sound(nodes))


@hostile
def one_weight_stored_twice(folder: Path) -> Path:
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "b")
    return saved(folder, sound(initializers=[tensor, tensor]))


@hostile
def an_input_that_nothing_makes(folder: Path) -> Path:
    return saved(folder, sound([helper.make_node("Relu", ["ghost"], ["y"])]))


@hostile
def an_output_that_nothing_makes(folder: Path) -> Path:
    return saved(folder, sound([helper.make_node("Relu", ["x"], ["z"])]))


@hostile
def constant_of_shape_bomb(folder: Path) -> Path:
    nodes = [
        constant("n", [1_000_000, 1_000_000]),
        helper.make_node("ConstantOfShape", ["n"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    return saved(folder, sound(nodes, []))


@hostile
def range_bomb(folder: Path) -> Path:
    nodes = [
        constant("low", 0),
        constant("high", 10**12),
        constant("step", 1),
        helper.make_node("Range", ["low", "high", "step"], ["many"]),
        helper.make_node("Size", ["many"], ["size"]),
        helper.make_node("Cast", ["size"], ["f"], to=FLOAT),
        helper.make_node("Add", ["x", "f"], ["y"]),
    ]
    return saved(folder, sound(nodes, []))


@hostile
def hidden_size_bomb(folder: Path) -> Path:
    """The size is computed, so that no look at constants alone can tell it."""
    nodes = [
        constant("n", [1000, 1000]),
        helper.make_node("Mul", ["n", "n"], ["n2"]),
        helper.make_node("ConstantOfShape", ["n2"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    return saved(folder, sound(nodes, []))


@hostile
def doubling_bomb(folder: Path) -> Path:
    nodes = [constant("t0", np.ones(1000), np.float32)]
    nodes += [helper.make_node("Concat", [f"t{i}"] * 2, [f"t{i + 1}"], axis=0) for i in range(40)]
    nodes += [
        helper.make_node("ReduceSum", ["t40"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    return saved(folder, sound(nodes, []))


@hostile
def doubling_of_data(folder: Path) -> Path:
    """Nothing here is constant: only the shapes tell that it grows to terabytes."""
    nodes = [helper.make_node("Relu", ["x"], ["t0"])]
    nodes += [helper.make_node("Concat", [f"t{i}"] * 2, [f"t{i + 1}"], axis=1) for i in range(40)]
    nodes.append(helper.make_node("ReduceMax", ["t40"], ["y"], keepdims=0))
    return saved(folder, sound(nodes, []))


@hostile
def endless_loop(folder: Path) -> Path:
    nodes = [
        constant("go", True, np.bool_),
        helper.make_node("Loop", ["", "go", "b"], ["end"], name="loop", body=loop_body("cond")),
        helper.make_node("Add", ["x", "end"], ["y"]),
    ]
    return saved(folder, sound(nodes))


@hostile
def hidden_endless_loop(folder: Path) -> Path:
    """Its condition is computed from the counter, and never turns false in a lifetime."""
    body = loop_body("go_on")
    compare = [
        constant("far", (1 << 62)),
        helper.make_node("Less", ["i", "far"], ["go_on"]),
    ]
    for node in reversed(compare):
        body.node.insert(0, node)
    nodes = [
        constant("go", True, np.bool_),
        helper.make_node("Loop", ["", "go", "b"], ["end"], name="loop", body=body),
        helper.make_node("Add", ["x", "end"], ["y"]),
    ]
    return saved(folder, sound(nodes))


@hostile
def deep_subgraphs(folder: Path) -> Path:
    def graph(nodes: list[onnx.NodeProto], output: str) -> onnx.GraphProto:
        return helper.make_graph(nodes, "b", [], [helper.make_tensor_value_info(output, FLOAT, None)])

    inner = graph([helper.make_node("Relu", ["x"], ["o0"])], "o0")
    for depth in range(1, 25):
        other = graph([helper.make_node("Neg", ["x"], [f"e{depth}"])], f"e{depth}")
        node = helper.make_node("If", ["c"], [f"o{depth}"], then_branch=inner, else_branch=other)
        inner = graph([node], f"o{depth}")
    nodes = [constant("c", True, np.bool_), *inner.node, helper.make_node("Relu", ["o24"], ["y"])]
    return saved(folder, sound(nodes))


@hostile
def a_function_that_calls_itself(folder: Path) -> Path:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    body = [helper.make_node("F", ["a"], ["c"], domain="mine")]
    function = helper.make_function("mine", "F", ["a"], ["c"], body, opsets)
    model = sound([helper.make_node("F", ["x"], ["y"], domain="mine")])
    model.opset_import.append(helper.make_opsetid("mine", 1))
    model.functions.append(function)
    return saved(folder, model)


@hostile
def functions_that_unfold_to_billions(folder: Path) -> Path:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    model = sound([helper.make_node("F12", ["x"], ["y"], domain="mine")])
    model.opset_import.append(helper.make_opsetid("mine", 1))
    for level in range(13):
        op, domain = (f"F{level - 1}", "mine") if level else ("Relu", "")
        nodes = [helper.make_node(op, [f"v{i}"], [f"v{i + 1}"], domain=domain) for i in range(10)]
        model.functions.append(helper.make_function("mine", f"F{level}", ["v0"], ["v10"], nodes, opsets))
    return saved(folder, model)


@hostile
def a_crowd_of_empty_nodes(folder: Path) -> Path:
    """Two bytes of file for each node of some hundred bytes in memory."""
    return saved(folder, b"\x08\x08" + _field(7, b"\x0a\x00" * 12_000_000))


def _field(number: int, content: bytes) -> bytes:
    length, size = b"", len(content)
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content
