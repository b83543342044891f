"""Small real networks and data sets for the measuring rooms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.data.datasets import Dataset, open_data
from studio.data.reference import DataRef
from studio.graph.model import Facts, TensorFact
from studio.measure.sessions import SessionSource

CLASSES, SIDE = 4, 6


@dataclass(frozen=True)
class Net:
    """A two-layer convolutional classifier on (N, 1, 6, 6)."""

    conv: np.ndarray
    dense: np.ndarray

    def save(self, path: Path, batch: int | str = "N") -> SessionSource:
        nodes = [
            helper.make_node("Conv", ["x", "w1"], ["c1"], name="conv1", kernel_shape=[3, 3]),
            helper.make_node("Relu", ["c1"], ["r1"], name="relu1"),
            helper.make_node("Flatten", ["r1"], ["f1"], name="flat"),
            helper.make_node("Gemm", ["f1", "w2"], ["y"], name="fc", transB=1),
        ]
        graph = helper.make_graph(
            nodes,
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 1, SIDE, SIDE])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, CLASSES])],
            [numpy_helper.from_array(self.conv, "w1"), numpy_helper.from_array(self.dense, "w2")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        data = model.SerializeToString()
        path.write_bytes(data)
        return SessionSource(str(path), sha256(data).hexdigest())

    def noisy(self, amount: float) -> Net:
        rng = np.random.default_rng(3)
        change = rng.normal(0, amount, self.dense.shape).astype(np.float32)
        return Net(self.conv, self.dense + change * float(np.abs(self.dense).mean()))


def net_facts(batch: int | str = "N") -> Facts:
    tensor = TensorFact("x", "FLOAT", (batch, 1, SIDE, SIDE))
    return Facts(
        key="net",
        name="net",
        path="net.onnx",
        format="onnx",
        file_bytes=1,
        ir_version=8,
        opsets=(("", 17),),
        producer="",
        inputs=(tensor,),
        outputs=(),
        tensors=(),
        nodes=(),
        layers=(),
        groups=(),
    )


@pytest.fixture
def net() -> Net:
    rng = np.random.default_rng(0)
    return Net(
        rng.normal(0, 0.5, (3, 1, 3, 3)).astype(np.float32),
        rng.normal(0, 0.3, (CLASSES, 3 * 16)).astype(np.float32),
    )


@pytest.fixture
def make_data(tmp_path: Path) -> Callable[..., Dataset]:
    """Random samples; labels are what `teacher` (a SessionSource) answers, some of them spoilt."""

    def make(n: int = 300, teacher: SessionSource | None = None, batch: int | str = "N") -> Dataset:
        rng = np.random.default_rng(1)
        arrays = {"x": rng.normal(0, 1, (n, 1, SIDE, SIDE)).astype(np.float32)}
        if teacher is not None:
            arrays["y"] = _taught(teacher, arrays["x"], rng)
        path = tmp_path / f"data-{n}-{teacher is not None}.npz"
        np.savez(path, **arrays)
        return open_data(DataRef(str(path)), net_facts(batch))

    return make


def _taught(teacher: SessionSource, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    import onnxruntime as ort

    session = ort.InferenceSession(teacher.path, providers=["CPUExecutionProvider"])
    answers = session.run(None, {"x": x})[0].argmax(axis=1)
    spoilt = rng.random(len(x)) < 0.2
    return np.where(spoilt, (answers + 1) % CLASSES, answers).astype(np.int64)
