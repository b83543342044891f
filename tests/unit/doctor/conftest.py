"""Nets that are right on their data, with one fault planted in the net, the recipe or the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.control import Control
from studio.data.reference import DataRef
from studio.project.memory import Memory
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

Array = np.ndarray[Any, np.dtype[Any]]
CLASSES, SIDE, COUNT = 10, 8, 800


class Net:
    """Nodes and seeded weights, written down one by one."""

    def __init__(self, seed: int = 3) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.held: dict[str, Array] = {}

    def op(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def conv(self, source: str, name: str, inputs: int, outputs: int, bias: float = 0.0) -> str:
        self.held[f"{name}.weight"] = self.random.normal(0, (2 / inputs / 9) ** 0.5, (outputs, inputs, 3, 3))
        self.held[f"{name}.bias"] = bias * self.random.normal(0, 1, outputs)
        taken = [source, f"{name}.weight", f"{name}.bias"]
        made = self.op("Conv", taken, name, kernel_shape=[3, 3], pads=[1] * 4)
        return self.op("Relu", [made], f"{name}.relu")

    def head(self, source: str, inputs: int) -> str:
        flat = self.op("Flatten", [source], "flat")
        self.held["head.weight"] = self.random.normal(0, inputs**-0.5, (CLASSES, inputs))
        return self.op("Gemm", [flat, "head.weight"], "head", transB=1)

    def save(self, path: Path) -> Path:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])
        y = helper.make_tensor_value_info("head", TensorProto.FLOAT, ["N", CLASSES])
        weights = [numpy_helper.from_array(each.astype(np.float32), name) for name, each in self.held.items()]
        graph = helper.make_graph(self.nodes, "net", [x], [y], weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
        return path


def plain(seed: int = 3, bias: float = 0.0) -> Net:
    """Three convolutions and a classifier over what is left of the picture."""
    net = Net(seed)
    one = net.conv("x", "first", 3, 16, bias)
    two = net.conv(one, "second", 16, 16, bias)
    pool = net.op("MaxPool", [two], "pool", kernel_shape=[2, 2], strides=[2, 2])
    net.head(net.conv(pool, "third", 16, 16, bias), 16 * (SIDE // 2) ** 2)
    return net


def answers(path: Path, x: Array) -> Array:
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0]).argmax(axis=1)


def pictures(seed: int, count: int = COUNT) -> Array:
    return np.random.default_rng(seed).normal(0, 1, (count, 3, SIDE, SIDE)).astype(np.float32)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkbench]:
    made = LocalWorkbench(tmp_path_factory.mktemp("built"), threads=1)
    yield made
    made.close()


Patient = Callable[..., Session]


@pytest.fixture
def patient(bench: LocalWorkbench, tmp_path: Path) -> Patient:
    """A session with the net and its data open; the labels are the net's own answers to `right`."""

    def opened(net: Net, x: Array, right: Array | None = None, **more: Array) -> Session:
        path = net.save(tmp_path / "net.onnx")
        np.savez(tmp_path / "data.npz", x=x, y=answers(path, x if right is None else right), **more)
        session = Session(bench, memory=Memory(tmp_path / "memory"))
        session.open(path, Control())
        session.attach_data(DataRef(str(tmp_path / "data.npz")), Control())
        return session

    return opened
