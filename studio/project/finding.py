"""The model of a project, found again where it was moved or renamed: by name first, then by its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from studio.errors import ProjectError
from studio.project.store import Project

_LOOKED_AT = 2000  # files beside a project: enough for a work folder, not for a home


def digest(path: Path) -> tuple[int, str]:
    """Length and sha256 (hex) of a model file; of a folder (0, "")."""
    if not path.is_file():
        return 0, ""
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def find_model(path: Path, project: Project) -> Path:
    """The project's model: where it was, beside the project, or any file there with its digest.

    A file of the right name and other content counts only where no digest was kept. Raises `ProjectError`.
    """
    known = Path(project.model_path)
    named = [place for place in (known, path / known.name, path.parent / known.name) if place.exists()]
    if not project.model_sha256:
        found = next(iter(named), None)
    else:
        found = next((place for place in (*named, *_around(path, known)) if _same(place, project)), None)
        found = found or next(iter(named), None)
    if found is None:
        cause, fix = f"its model {known} is gone", "Put the model file beside the project folder."
        raise ProjectError(str(path), cause, fix)
    return found


def _around(path: Path, known: Path) -> Iterator[Path]:
    """Files of the model's kind beside the project and where the model was, one level of folders included."""
    kind = f"*{known.suffix}"
    for folder in dict.fromkeys((path.parent, known.parent)):
        if folder.is_dir():
            yield from islice(folder.glob(kind), _LOOKED_AT)
            yield from islice(folder.glob(f"*/{kind}"), _LOOKED_AT)


def _same(place: Path, project: Project) -> bool:
    if not place.is_file() or place.stat().st_size != project.model_bytes:
        return False
    return digest(place)[1] == project.model_sha256
