"""Sensitivity rows on disk by what they were measured on: a run that broke off goes on where it was."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from studio.errors import MeasureError
from studio.kept import KeptRows
from studio.metrics import Sensitivity
from studio.recipe import text
from studio.recipe.settings import Recipe

VERSION = 1


class SensitivityStore:
    """One file of rows; see `KeptRows`."""

    def __init__(self, path: Path) -> None:
        self._rows = KeptRows(path, Sensitivity, lambda row: (row.group, row.setting))

    def find(self, group: str, setting: str) -> Sensitivity | None:
        """The row measured for this setting of this group, or None."""
        return self._rows.find((group, setting))

    def add(self, row: Sensitivity) -> None:
        """Keep a row; raises `MeasureError` where the file cannot be written."""
        try:
            self._rows.add(row)
        except OSError as error:
            cause = f"sensitivity cannot be kept ({error.strerror})"
            raise MeasureError(str(self._rows.path), cause, "Free some space and run it again.") from error

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
