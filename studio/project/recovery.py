"""Work that was not saved: a snapshot per running program, offered when that program is gone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from studio.errors import ProjectError
from studio.files import write_atomic
from studio.paths import data_dir
from studio.project import store
from studio.project.store import Project

_OWNER, _KEPT = "owner.json", 5


class _Owner(msgspec.Struct, frozen=True):
    pid: int
    began: float


@dataclass(frozen=True, slots=True)
class Lost:
    """A snapshot that nobody owns: `steps` edits on `model`, last written at `when` (seconds since 1970)."""

    path: Path
    model: str
    steps: int
    when: float


class Recovery:
    """The snapshots of this program, one per `opening`: a model opened later leaves those before it alone.

    `folder` holds those of all programs (default: in the user's data).
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or data_dir() / "recovery"
        self._name = f"{os.getpid()}-{id(self):x}-"

    def path(self, opening: int) -> Path:
        """Where the snapshot of that opening lies."""
        return self.folder / f"{self._name}{opening}{store.SUFFIX}"

    def keep(self, project: Project, opening: int) -> None:
        """Replace the snapshot of `opening` by `project`; raises `ProjectError`, leaving the old one."""
        path = self.path(opening)
        if not path.is_dir():
            with suppress(OSError):  # first of all: without an owner another window may offer and discard it
                path.mkdir(parents=True)
                write_atomic(path / _OWNER, msgspec.json.encode(_me()))
        store.save(path, project)

    def drop(self, opening: int) -> None:
        """There is nothing to recover of `opening` any more."""
        shutil.rmtree(self.path(opening), ignore_errors=True)

    def lost(self) -> tuple[Lost, ...]:
        """Snapshots of programs that are gone, newest first; all but the newest few are deleted."""
        found = sorted(self._orphans(), key=lambda each: -each.when)
        for old in found[_KEPT:]:
            shutil.rmtree(old.path, ignore_errors=True)
        return tuple(found[:_KEPT])

    def _orphans(self) -> Iterator[Lost]:
        for path in self.folder.glob(f"*{store.SUFFIX}"):
            if path.name.startswith(self._name) or _owned(path):
                continue
            with suppress(ProjectError, OSError):
                project = store.load(path)
                when = (path / store.PROJECT).stat().st_mtime
                yield Lost(path, Path(project.model_path).name, len(project.steps) - 1, when)


def _me() -> _Owner:
    import psutil

    return _Owner(os.getpid(), psutil.Process().create_time())


def _owned(path: Path) -> bool:
    """Whether the program that wrote it is still running."""
    import psutil

    try:
        owner = msgspec.json.decode((path / _OWNER).read_bytes(), type=_Owner)
        return bool(abs(psutil.Process(owner.pid).create_time() - owner.began) < 1.0)
    except (OSError, msgspec.MsgspecError, psutil.NoSuchProcess):
        return False
