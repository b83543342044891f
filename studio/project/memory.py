"""What is remembered of a model between sessions: its data set and how that is read, by model key."""

from __future__ import annotations

from pathlib import Path

import msgspec

from studio.data.reference import DataRef
from studio.paths import data_dir
from studio.project.files import write_atomic


class _Note(msgspec.Struct, forbid_unknown_fields=True):
    version: int = 1
    data: DataRef | None = None


class Memory:
    """One small JSON file per model key, in the user's data folder. A note that cannot be read is none."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def data(self, key: str) -> DataRef | None:
        """The data set last used with the model, None where there is none or it is gone."""
        try:
            note = msgspec.json.decode(self._path(key).read_bytes(), type=_Note)
        except (OSError, msgspec.DecodeError):
            return None
        return note.data if note.data and Path(note.data.path).exists() else None

    def remember(self, key: str, data: DataRef) -> None:
        """Keep the data set for the model."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, msgspec.json.encode(_Note(data=data)))

    def _path(self, key: str) -> Path:
        folder = self._folder or data_dir() / "models"
        return folder / f"{key[:40]}.json"
