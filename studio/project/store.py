"""`.trimtab` projects: a folder with recipe, history, data reference, and the model by path and digest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from studio.data.reference import DataRef
from studio.errors import ProjectError
from studio.files import write_atomic
from studio.metrics import Sensitivity
from studio.project.changes import Measured
from studio.recipe import text
from studio.recipe.settings import Recipe

VERSION = 2
SUFFIX = ".trimtab"
PROJECT, RECIPE = "project.json", "recipe.json"


class SavedStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state of the journal; its revision ties it to the history."""

    label: str
    revision: int
    recipe: Recipe


class Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is kept of the work. `model_key` tells whether the file at `model_path` is still the one.

    `model_bytes` and `model_sha256` are those of the model file itself: by them it is found again when it
    was moved or renamed (0 and "": written before version 2).
    """

    model_path: str
    model_key: str
    steps: tuple[SavedStep, ...]
    at: int = 0
    data: DataRef | None = None
    history: tuple[Measured, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()
    model_bytes: int = 0
    model_sha256: str = ""
    version: int = VERSION


def is_project(path: Path) -> bool:
    """Whether the path names a project."""
    return path.suffix == SUFFIX or (path / PROJECT).is_file()


def save(path: Path, project: Project) -> Path:
    """Write the project into the folder `path`; each file is replaced as a whole. Raises `ProjectError`.

    `recipe.json` is the current recipe once more, for `--recipe` and for people.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        write_atomic(path / RECIPE, text.dumps(project.steps[project.at].recipe).encode())
        write_atomic(path / PROJECT, msgspec.json.format(msgspec.json.encode(project), indent=1) + b"\n")
    except OSError as error:
        cause = f"the project cannot be written ({error.strerror})"
        raise ProjectError(str(path), cause, "Choose another folder, or make room.") from error
    return path


def load(path: Path) -> Project:
    """Read a project; raises `ProjectError`."""
    file = path / PROJECT
    try:
        raw = msgspec.json.decode(file.read_bytes())
        project = msgspec.convert(_migrated(raw, path), Project)
    except OSError as error:
        cause = f"it cannot be read ({error.strerror})"
        raise ProjectError(str(file), cause, "Choose a folder that Trimtab saved.") from error
    except msgspec.MsgspecError as error:
        raise ProjectError(str(file), f"not a project ({error})", "Open the model itself instead.") from error
    if not 0 <= project.at < len(project.steps):
        raise ProjectError(str(file), "its journal is empty", "Open the model itself instead.")
    return project


def _migrated(raw: Any, path: Path) -> Any:
    """The project as of now: each version is lifted to the next; raises `ProjectError` for a newer one."""
    version = raw.get("version", 1) if isinstance(raw, dict) else 1
    if isinstance(version, int) and version > VERSION:
        cause = f"written by a newer Trimtab (version {version})"
        raise ProjectError(str(path), cause, "Update Trimtab Studio.")
    while isinstance(raw, dict) and version in _LIFTS:
        raw, version = _LIFTS[version](raw), version + 1
    return raw


def _lift_1(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 2 added the model's length and digest, which an old project does not know."""
    return {**raw, "version": 2}


_LIFTS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _lift_1}
