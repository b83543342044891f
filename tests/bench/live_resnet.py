"""A network of ResNet-18's size at 224², with random weights: its timing needs no training."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 224
PIECE = 100
WIDTHS = (64, 64, 128, 128, 256, 256, 512, 512)


class Builder:
    """Nodes and weights of a residual network, one call a layer; batch norms are folded already."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(18)

    def op(self, op: str, inputs: list[str], name: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, source: str, name: str, shape: tuple[int, int, int], stride: int) -> str:
        """`shape` is (inputs, outputs, kernel)."""
        inputs, outputs, kernel = shape
        scale = (2 / (inputs * kernel * kernel)) ** 0.5
        self._store(f"{name}.weight", self._random.normal(0, scale, (outputs, inputs, kernel, kernel)))
        self._store(f"{name}.bias", self._random.normal(0, 0.1, outputs))
        pads = [kernel // 2] * 4
        return self.op(
            "Conv", [source, f"{name}.weight", f"{name}.bias"], name, strides=[stride] * 2, pads=pads
        )

    def block(self, source: str, name: str, inputs: int, outputs: int) -> str:
        stride = 1 if inputs == outputs else 2
        one = self.op(
            "Relu", [self.conv(source, f"{name}.conv1", (inputs, outputs, 3), stride)], f"{name}.relu1"
        )
        two = self.conv(one, f"{name}.conv2", (outputs, outputs, 3), 1)
        side = source if stride == 1 else self.conv(source, f"{name}.side", (inputs, outputs, 1), stride)
        return self.op("Relu", [self.op("Add", [two, side], f"{name}.add")], f"{name}.relu2")

    def head(self, source: str, inputs: int, classes: int) -> str:
        self._store("head.weight", self._random.normal(0, inputs**-0.5, (classes, inputs)))
        self._store("head.bias", np.zeros(classes))
        flat = self.op("Flatten", [self.op("GlobalAveragePool", [source], "pool")], "flat")
        return self.op("Gemm", [flat, "head.weight", "head.bias"], "head", transB=1)

    def _store(self, name: str, array: np.ndarray) -> None:
        self.weights.append(numpy_helper.from_array(array.astype(np.float32), name))


def write(folder: Path, pictures: int) -> tuple[Path, Path]:
    """The model and pictures to run it on, smooth at several scales as photographs are; no labels."""
    net = Builder()
    last = net.op("Relu", [net.conv("x", "stem", (3, 64, 7), 2)], "stem.relu")
    last = net.op("MaxPool", [last], "stem.pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for place, (before, width) in enumerate(zip((64, *WIDTHS), WIDTHS, strict=False)):
        last = net.block(last, f"block{place}", before, width)
    net.head(last, WIDTHS[-1], 1000)
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, SIDE, SIDE]),
        helper.make_tensor_value_info("head", TensorProto.FLOAT, ["N", 1000]),
    ]
    graph = helper.make_graph(net.nodes, "resnet18", ends[:1], ends[1:], net.weights)
    model, data = folder / "resnet18.onnx", folder / "pictures.npz"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), model)
    _save(data, pictures)
    return model, data


def _save(path: Path, count: int) -> None:
    """An .npz of float32 (count, 3, 224, 224), written piece by piece: thousands do not fit into memory."""
    random = np.random.default_rng(224)
    head = {"descr": "<f4", "fortran_order": False, "shape": (count, 3, SIDE, SIDE)}
    with ZipFile(path, "w") as file, file.open("x.npy", "w", force_zip64=True) as out:
        np.lib.format.write_array_header_1_0(out, head)
        for start in range(0, count, PIECE):
            out.write(_pictures(random, min(PIECE, count - start)).tobytes())


def _pictures(random: np.random.Generator, count: int) -> np.ndarray:
    found = np.zeros((count, 3, SIDE, SIDE), np.float32)
    for side in (2, 7, 28, 112):
        coarse = random.normal(0, 1, (count, 3, side, side)).astype(np.float32)
        found += coarse.repeat(SIDE // side, axis=2).repeat(SIDE // side, axis=3)
    return found / 2
