from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from studio.artifact import Artifact, LayerOutcome, Refusal
from studio.data.reference import DataRef, Preprocessing
from studio.errors import ProjectError
from studio.metrics import HERE, Comparison, Figure, Flip, Latency, LatencyPair, Sensitivity
from studio.project import store
from studio.project.changes import Measured
from studio.project.finding import find_model
from studio.project.memory import Memory
from studio.project.store import Project, SavedStep
from studio.recipe import text
from studio.recipe.settings import Recipe, Settings


def project(model: Path) -> Project:
    refused = (Refusal("bits", "3", "4", "not that narrow"),)
    outcome = LayerOutcome("conv1", 4, 8, 0.25, "channels", "packed", 99, refused)
    artifact = Artifact("/c/a.onnx", "s" * 64, 1234, "{}", "onnxruntime-cpu", "k" * 64, "", (outcome,), 0.5)
    figure = Figure(93.0, "%", 1000, HERE, 91.0, 94.5)
    latency = Latency(0.1, 0.2, 0.3, 0.4, 100, 1, HERE)
    comparison = Comparison("top-1", figure, figure, figure, (Flip(3, 1, 2, None),))
    pair = LatencyPair(latency, latency, Figure(0.5, "", 100, HERE, 0.4, 0.6))
    measured = Measured(2, "bits 4", artifact, comparison, pair, (latency,))
    steps = (
        SavedStep("open", 1, Recipe()),
        SavedStep("bits 4", 2, Recipe(default=Settings(bits=4), name="four")),
    )
    data = DataRef("/d/set", Preprocessing(resize=32, crop=(28, 28), mean=(0.5,)), 100)
    return Project(
        str(model), "k" * 64, steps, 1, data, (measured,), (Sensitivity("g", "bits=4", figure, 30.0, 99),)
    )


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    saved = project(tmp_path / "net.onnx")
    folder = store.save(tmp_path / "work.trimtab", saved)
    assert store.load(folder) == saved
    assert text.read(folder / store.RECIPE).name == "four"
    assert store.is_project(folder)


def test_a_newer_version_is_named(tmp_path: Path) -> None:
    folder = store.save(tmp_path / "work.trimtab", msgspec.structs.replace(project(tmp_path), version=99))
    with pytest.raises(ProjectError, match="newer Trimtab"):
        store.load(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b'{"version": 1, "bogus": 2}'])
def test_a_broken_project_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / store.PROJECT).write_bytes(content)
    with pytest.raises(ProjectError, match="not a project"):
        store.load(tmp_path)


def test_a_project_without_its_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="No such file"):
        store.load(tmp_path / "gone.trimtab")


def test_a_moved_model_is_found_beside_the_project(tmp_path: Path) -> None:
    saved = project(tmp_path / "elsewhere" / "net.onnx")
    folder = store.save(tmp_path / "work.trimtab", saved)
    with pytest.raises(ProjectError, match="is gone"):
        find_model(folder, saved)
    (tmp_path / "net.onnx").write_bytes(b"x")
    assert find_model(folder, saved) == tmp_path / "net.onnx"


def test_the_data_set_of_a_model_is_remembered(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    data.write_bytes(b"x")
    memory, ref = Memory(tmp_path / "memory"), DataRef(str(data), Preprocessing(resize=(32, 32)), 5)
    assert memory.data("key") is None
    memory.remember("key", ref)
    assert Memory(tmp_path / "memory").data("key") == ref
    data.unlink()
    assert memory.data("key") is None


def test_preprocessing_outlives_the_data_set(tmp_path: Path) -> None:
    memory, how = Memory(tmp_path), Preprocessing(resize=(32, 32))
    memory.remember("key", DataRef(str(tmp_path / "pictures"), how))
    memory.remember("key", DataRef(str(tmp_path / "data.npz")))
    assert memory.preprocessing("key") == how


def test_a_memory_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    Memory(tmp_path / "file" / "folder").remember("key", DataRef("data.npz"))


def test_a_broken_note_is_no_note(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_bytes(b"{")
    assert Memory(tmp_path).data("key") is None
