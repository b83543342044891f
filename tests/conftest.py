"""Shared by all tests: a home of its own for each session, and an engine that cannot see Qt when asked."""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest


class _NoQt(MetaPathFinder):
    """Makes `import PySide6` fail as on a board or a build server without it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.split(".")[0] in ("PySide6", "shiboken6", "pyqtgraph"):
            raise ModuleNotFoundError(f"{name} is hidden from this test run", name=name)


if os.environ.get("TRIMTAB_TEST_WITHOUT_QT"):
    sys.meta_path.insert(0, _NoQt())


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's settings, boards or caches."""
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def sample() -> Path:
    """The bundled sample model."""
    return Path(__file__).parent.parent / "resources" / "samples" / "fashion.onnx"


@pytest.fixture(scope="session")
def sample_data(sample: Path) -> Path:
    """The bundled sample data set: x, y and x_calibration."""
    return sample.with_suffix(".npz")


@pytest.fixture(scope="session")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two convolutions and a classifier with random weights: it builds in tenths of a second."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(3)
    shapes = {"a": (32, 3, 3, 3), "b": (32, 32, 3, 3), "c": (6, 32)}
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
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 6])
    graph = helper.make_graph(nodes, "net", [x], [y], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture(scope="session")
def net_data(net: Path) -> Path:
    """240 samples with the net's own answers, a tenth of them wrong, and calibration samples."""
    import numpy as np
    import onnxruntime as ort

    rng = np.random.default_rng(4)
    x = rng.normal(0, 1, (240, 3, 10, 10)).astype(np.float32)
    session = ort.InferenceSession(str(net), providers=["CPUExecutionProvider"])
    answers = np.asarray(session.run(None, {"x": x})[0]).argmax(axis=1)
    wrong = rng.random(len(x)) < 0.1
    path = net.with_suffix(".npz")
    labels = np.where(wrong, (answers + 1) % 6, answers)
    np.savez(path, x=x, y=labels, x_calibration=x[:32] + 0.01)
    return path
