"""From an exported file to a confirmed release on a fresh arm64 board without Python, in one command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import arm64
import numpy as np
import onnx
import pytest
from arm64 import Arm64
from onnx import numpy_helper

from studio.boards.api import Boards
from studio.boards.release.package import golden_outputs, package, save_goldens
from studio.errors import BoardError

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(arm64.missing()), reason=arm64.missing())]

Verb = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arm64]:
    try:
        root = arm64.root_file_system()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the board's packages cannot be had: {error}")
    board = Arm64(tmp_path_factory.mktemp("arm64"), root).start()
    yield board
    board.stop()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for the module: the library for the board's CPU is fetched once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def trimtab(home: Path) -> Verb:
    def run(*words: object, status: int = 0) -> dict[str, Any]:
        command = [sys.executable, "-m", "studio", *map(str, words), "--json"]
        env = {**os.environ, "TRIMTAB_HOME": str(home)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == status, (done.stdout, done.stderr)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return run


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, sample: Path, sample_data: Path) -> Path:
    """The sample on integers, for ARM."""
    out = tmp_path_factory.mktemp("files") / "small.onnx"
    how = ["--preset", "int8", "--target", "onnxruntime-cpu-arm", "--data", str(sample_data)]
    command = [sys.executable, "-m", "studio", "optimize", str(sample), "--out", str(out), *how]
    subprocess.run(command, check=True, capture_output=True)
    return out


def with_scales(source: Path, out: Path, change: Callable[[np.ndarray], np.ndarray]) -> Path:
    """A copy of `source` whose float constants are changed, those of one value apart."""
    model = onnx.load(source)
    for each in model.graph.initializer:
        values = numpy_helper.to_array(each)
        if values.dtype.kind == "f" and values.size > 1:
            each.CopyFrom(numpy_helper.from_array(change(values), each.name))
    onnx.save(model, out)
    return out


def test_from_a_file_to_a_confirmed_release(
    trimtab: Verb, board: Arm64, small: Path, sample_data: Path
) -> None:
    trimtab("board", "add", "arm", f"root@127.0.0.1:{board.port}", "--key", board.key, "--yes")
    facts = trimtab("board", "probe", "arm")
    assert (facts["machine"], facts["python"], facts["emulated"]) == ("aarch64", "", "qemu-aarch64")
    pushed = trimtab("board", "push", "arm", small, "--data", sample_data, "--confirm")
    assert pushed["confirmed"]
    run = pushed["run"]
    assert run["proved"]
    assert run["samples"] >= 16
    assert run["runtime"].endswith("C runner")
    assert run["p50"] > 0
    assert run["peak_bytes"] > 1 << 20
    assert "emulated" in run["invalid"]


def test_the_next_release_can_be_taken_back(
    trimtab: Verb, small: Path, sample_data: Path, tmp_path: Path
) -> None:
    before = trimtab("board", "status", "arm")
    other = with_scales(small, tmp_path / "other.onnx", lambda values: values * values.dtype.type(1.001))
    pushed = trimtab("board", "push", "arm", other, "--data", sample_data)
    assert pushed["activated"]
    assert trimtab("board", "status", "arm")["active"] == pushed["release"]
    assert trimtab("board", "rollback", "arm")["active"] == before["active"]


def test_a_file_whose_scales_were_shuffled_never_becomes_current(
    trimtab: Verb, home: Path, small: Path, sample_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_HOME", str(home))
    before = trimtab("board", "status", "arm")["active"]
    with np.load(sample_data) as data:
        inputs = {onnx.load(small).graph.input[0].name: data["x"][:16]}
    goldens = save_goldens(tmp_path / "goldens.npz", inputs, golden_outputs(small, inputs))
    broken = with_scales(small, tmp_path / "broken.onnx", lambda values: values[::-1].copy())
    with Boards() as boards, pytest.raises(BoardError, match="output") as refused:
        boards.push("arm", package(broken, goldens, tmp_path / "meta"))
    assert "differs" in str(refused.value)
    assert trimtab("board", "status", "arm")["active"] == before
