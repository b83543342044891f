"""What is remembered of a model between sessions: its data set and how that is read, by model key."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from studio.data.reference import DataRef, Preprocessing
from studio.files import write_atomic
from studio.paths import data_dir


class _Note(msgspec.Struct, forbid_unknown_fields=True):
    version: int = 1
    data: DataRef | None = None
    preprocessing: Preprocessing | None = None


class Memory:
    """One small JSON file per model key, in the user's data folder. A note that cannot be read is none."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def data(self, key: str) -> DataRef | None:
        """The data set last used with the model, None where there is none or it is gone."""
        data = self._note(key).data
        return data if data and Path(data.path).exists() else None

    def preprocessing(self, key: str) -> Preprocessing | None:
        """How pictures were last turned into inputs of the model, where that was said apart from them."""
        return self._note(key).preprocessing

    def remember(self, key: str, data: DataRef) -> None:
        """Keep the data set for the model, and its preprocessing for other data too.

        A folder that cannot be written remembers nothing: that is no reason to refuse the data.
        """
        note = _Note(data=data, preprocessing=data.preprocessing or self.preprocessing(key))
        path = self._path(key)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, msgspec.json.encode(note))

    def _note(self, key: str) -> _Note:
        try:
            return msgspec.json.decode(self._path(key).read_bytes(), type=_Note)
        except (OSError, msgspec.DecodeError):
            return _Note()

    def _path(self, key: str) -> Path:
        folder = self._folder or data_dir() / "models"
        return folder / f"{key[:40]}.json"
