"""Sensitivity rows on disk by what they were measured on: a run that broke off goes on where it was."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from studio.errors import MeasureError
from studio.metrics import Sensitivity
from studio.recipe import text
from studio.recipe.settings import Recipe

VERSION = 1


class SensitivityStore:
    """One file of rows, a line of JSON each, written out at once. A line cut short is left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows = {(row.group, row.setting): row for row in _read(path)}

    def find(self, group: str, setting: str) -> Sensitivity | None:
        """The row measured for this setting of this group, or None."""
        return self._rows.get((group, setting))

    def add(self, row: Sensitivity) -> None:
        """Keep a row; raises `MeasureError` where the file cannot be written."""
        self._rows[row.group, row.setting] = row
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(b"\n" + msgspec.json.encode(row))
        except OSError as error:
            cause = f"sensitivity cannot be kept ({error.strerror})"
            raise MeasureError(str(self.path), cause, "Free some space and run it again.") from error

    def __len__(self) -> int:
        return len(self._rows)


def store_name(model: str, data: str, base: Recipe, samples: int) -> str:
    """A file name by all that decides the rows: model and data by content key, recipe, sample count."""
    bare = Recipe(
        target=base.target,
        calibration=base.calibration,
        calibration_samples=base.calibration_samples,
        repair=base.repair,
    )
    digest = sha256("\n".join((str(VERSION), model, data, text.dumps(bare), str(samples))).encode())
    return f"{digest.hexdigest()}.jsonl"


def _read(path: Path) -> list[Sensitivity]:
    rows = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    for line in lines:
        with suppress(msgspec.MsgspecError):
            rows.append(msgspec.json.decode(line, type=Sensitivity))
    return rows
