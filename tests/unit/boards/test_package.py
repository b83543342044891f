"""Packages: what is in them, and that the same content always has the same name."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.artifact import Artifact
from studio.boards.release.package import golden_outputs, package, save_goldens, sha256_of
from studio.boards.release.proof import quantile, within_budget
from studio.boards.report import BoardRun
from studio.errors import BoardError

RUNNER = Path(__file__).parents[3] / "resources" / "board" / "run_goldens.py"


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_goldens", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model(tmp_path: Path) -> Path:
    weight = numpy_helper.from_array(np.eye(4, dtype=np.float32) * 2, "w")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in "xy"]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [weight]
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(made, tmp_path / "my net.v2.onnx")
    return tmp_path / "my net.v2.onnx"


def _goldens(folder: Path, model: Path, count: int = 16) -> Path:
    inputs = {"x": np.arange(count * 4, dtype=np.float32).reshape(count, 4)}
    outputs = golden_outputs(model, inputs)
    np.testing.assert_array_equal(outputs["y"], inputs["x"] * 2)
    return save_goldens(folder / "goldens.npz", inputs, outputs)


def test_same_content_same_id(tmp_path: Path, model: Path) -> None:
    one = package(model, _goldens(tmp_path / "a", model), tmp_path / "a" / "meta", meta={"accuracy": 91.5})
    two = package(model, _goldens(tmp_path / "b", model), tmp_path / "b" / "meta", meta={"accuracy": 91.5})
    other = package(model, _goldens(tmp_path / "c", model), tmp_path / "c" / "meta", tolerance=0.5)
    assert one.id == two.id != other.id
    assert one.id.startswith("my-net-v2-")
    assert one.manifest.count("\n") == 3
    assert one.bytes == sum(path.stat().st_size for path in one.files.values())


def test_what_is_refused(tmp_path: Path, model: Path) -> None:
    goldens = _goldens(tmp_path, model)
    with pytest.raises(BoardError, match="at least 16"):
        _goldens(tmp_path / "few", model, 15)
    with pytest.raises(BoardError, match="not a file of goldens"):
        package(model, model, tmp_path / "meta")
    stale = Artifact(str(model), "0" * 64, 1, "{}", "t", "p", "", (), 0.0)
    with pytest.raises(BoardError, match="not the file that was measured"):
        package(stale, goldens, tmp_path / "meta")
    fresh = Artifact(str(model), sha256_of(model), 1, '{"version":1}', "t", "p", "", (), 0.0)
    assert package(fresh, goldens, tmp_path / "meta").meta["recipe"] == '{"version":1}'


def test_how_far_outputs_are_off(runner: ModuleType) -> None:
    wanted = np.array([[0.0, 1.0], [2.0, 10.0]], np.float32)
    rows = list(wanted.copy())
    assert runner.difference(rows, wanted) == {"worst": 0.0, "sample": 0}
    rows[1] = np.array([2.0, 9.0], np.float32)
    assert runner.difference(rows, wanted) == {"worst": pytest.approx(0.1), "sample": 1}
    rows[0] = np.array([np.nan, 1.0], np.float32)
    assert "not a number in sample 0" in runner.difference(rows, wanted)["why"]
    assert "shape" in runner.difference([np.zeros(3, np.float32)] * 2, wanted)["why"]
    assert "float64" in runner.difference(list(wanted.astype(np.float64)), wanted)["why"]


def test_integers_must_be_equal_and_nan_may_be_wanted(runner: ModuleType) -> None:
    wanted = np.array([[1], [2]])
    assert runner.difference([np.array([1]), np.array([2])], wanted)["worst"] == 0.0
    assert runner.difference([np.array([1]), np.array([3])], wanted) == {
        "worst": 1.0,
        "exact": True,
        "sample": 1,
    }
    odd = np.array([[np.nan, np.inf]], np.float32)
    assert runner.difference(list(odd), odd)["worst"] == 0.0
    assert runner.difference(list(np.array([[np.nan, -np.inf]], np.float32)), odd)["worst"] is None


def test_figures() -> None:
    assert [quantile([1.0, 2.0, 3.0], share) for share in (0.0, 0.5, 0.75, 1.0)] == [1.0, 2.0, 2.5, 3.0]
    run = BoardRun("pi", "r", True, p95=2.0, peak_bytes=64 << 20, runs=5)
    assert within_budget(run, 0, 0) == ""
    assert "p95 2.00 ms" in within_budget(run, 1.0, 0)
    assert "64 MiB" in within_budget(run, 3.0, 32 << 20)
    latency = run.latency()
    assert latency is not None
    assert latency.source == "measured on pi"
