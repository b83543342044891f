"""A net that builds in tenths of a second, with data that it is nearly always right on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

CLASSES, CHANNELS = 6, 32


@pytest.fixture(scope="session")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two convolutions and a classifier with random weights."""
    rng = np.random.default_rng(3)
    shapes = {"a": (CHANNELS, 3, 3, 3), "b": (CHANNELS, CHANNELS, 3, 3), "c": (CLASSES, CHANNELS)}
    held = [
        numpy_helper.from_array(rng.normal(0, 0.3, shape).astype(np.float32), f"{name}.weight")
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Conv", ["x", "a.weight"], ["a"], name="a", kernel_shape=[3, 3]),
        helper.make_node("Relu", ["a"], ["a.relu"], name="a.relu"),
        helper.make_node("Conv", ["a.relu", "b.weight"], ["b"], name="b", kernel_shape=[3, 3]),
        helper.make_node("Relu", ["b"], ["b.relu"], name="b.relu"),
        helper.make_node("GlobalAveragePool", ["b.relu"], ["pool"], name="pool"),
        helper.make_node("Flatten", ["pool"], ["flat"], name="flat"),
        helper.make_node("Gemm", ["flat", "c.weight"], ["y"], name="c", transB=1),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 10, 10])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", CLASSES])
    graph = helper.make_graph(nodes, "net", [x], [y], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture(scope="session")
def net_data(net: Path) -> Path:
    """240 samples with the net's own answers, a tenth of them wrong, and calibration samples."""
    rng = np.random.default_rng(4)
    x = rng.normal(0, 1, (240, 3, 10, 10)).astype(np.float32)
    session = ort.InferenceSession(str(net), providers=["CPUExecutionProvider"])
    answers = np.asarray(session.run(None, {"x": x})[0]).argmax(axis=1)
    wrong = rng.random(len(x)) < 0.1
    path = net.with_suffix(".npz")
    labels = np.where(wrong, (answers + 1) % CLASSES, answers)
    np.savez(path, x=x, y=labels, x_calibration=x[:32] + 0.01)
    return path
