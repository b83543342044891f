"""The model of a project is found by its digest; old projects are lifted; lost snapshots are offered."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from studio.project import store
from studio.project.finding import digest, find_model
from studio.project.recovery import Recovery
from studio.project.store import Project, SavedStep
from studio.recipe.settings import Recipe, Settings

_STEPS = (SavedStep("open", 1, Recipe()), SavedStep("bits", 2, Recipe(default=Settings(bits=8))))


def _project(model: Path) -> Project:
    length, sha256 = digest(model)
    return Project(str(model), "key", _STEPS, 1, model_bytes=length, model_sha256=sha256)


def test_a_model_that_was_moved_and_renamed_is_found_by_its_digest(tmp_path: Path) -> None:
    model = tmp_path / "net.onnx"
    model.write_bytes(b"the network")
    project, folder = _project(model), tmp_path / "work" / "net.trimtab"
    folder.mkdir(parents=True)
    model.write_bytes(b"another net")  # of the same name and length
    moved = tmp_path / "work" / "models" / "renamed.onnx"
    moved.parent.mkdir()
    moved.write_bytes(b"the network")
    assert find_model(folder, project) == moved
    moved.unlink()
    assert find_model(folder, project) == model  # its key will tell that it is another


def test_a_project_of_version_1_is_lifted(tmp_path: Path) -> None:
    folder = store.save(tmp_path / "old.trimtab", _project(tmp_path))
    raw = msgspec.json.decode((folder / store.PROJECT).read_bytes())
    for name in ("model_bytes", "model_sha256"):
        del raw[name]
    (folder / store.PROJECT).write_bytes(msgspec.json.encode({**raw, "version": 1}))
    lifted = store.load(folder)
    assert (lifted.version, lifted.model_sha256, lifted.steps) == (store.VERSION, "", _STEPS)


_DIES = """
import os, signal, sys
from pathlib import Path
from studio.project.recovery import Recovery
from studio.project.store import Project, SavedStep
from studio.recipe.settings import Recipe
steps = (SavedStep("open", 1, Recipe()), SavedStep("bits", 2, Recipe()))
Recovery(Path(sys.argv[1])).keep(Project("net.onnx", "key", steps, 1), 1)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_snapshot_is_offered_once_its_program_is_gone(tmp_path: Path) -> None:
    mine = Recovery(tmp_path)
    mine.keep(_project(tmp_path / "other.onnx"), 1)
    mine.keep(_project(tmp_path / "next.onnx"), 2)
    assert Recovery(tmp_path).lost() == ()  # this program still runs
    died = subprocess.run([sys.executable, "-c", _DIES, str(tmp_path)])
    assert died.returncode == -9
    (lost,) = mine.lost()
    assert (lost.model, lost.steps) == ("net.onnx", 1)
    mine.drop(2)
    assert not mine.path(2).exists()
    assert store.load(mine.path(1)) == _project(tmp_path / "other.onnx")
