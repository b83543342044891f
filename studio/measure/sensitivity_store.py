"""What single settings did, on disk by what that depends on: a run that broke off goes on where it was.

An effect is how a built file answers against the original on the same samples. It depends on

- the original as a whole, by content key: what one layer's error does to the outputs depends on all layers
  behind it and on what the layers before feed it, so a net trained anew is measured anew;
- the samples, by content key and count, and the runtime's version;
- the bytes of the file that the setting comes to, and whether this processor runs them by its own kernels
  or spelled out (see `SessionSource`). Nothing else of recipe or target counts.

Rows are found at two depths. By *order* (all that the build is told, see `order_of`) nothing is built or
run. Where that differs, the file is built, and by its *digest* it is not run where the bytes are known. So
rows survive a recipe's own rules, default and locks (one setting alone stands in a file), more calibration
samples than there are, another target or repair where both write the same file, calibration where the
setting takes none, other stops of the sliders, and a newer program that builds the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import msgspec

from studio import __version__
from studio.errors import MeasureError
from studio.kept import KeptRows
from studio.metrics import Figure
from studio.recipe.resolve import Plan
from studio.target import Target, spelled_out

VERSION = 2


@dataclass(frozen=True, slots=True)
class Effect:
    """What a file built by `order` did against the original; `file` is its digest and the way it was run,
    `bytes` its length."""

    order: str
    file: str
    difference: Figure
    sqnr_db: float | None
    bytes: int


class SensitivityStore:
    """One file of effects for one original on the same samples; see `KeptRows`."""

    def __init__(self, path: Path) -> None:
        self._rows = KeptRows(path, Effect, lambda row: row.order)
        self._files = {row.file: row for row in self._rows}

    def find(self, order: str) -> Effect | None:
        """What a file built by this order did, or None."""
        return self._rows.find(order)

    def same(self, file: str, order: str) -> Effect | None:
        """What a file of these bytes did, whatever order it came from, or None; kept for `order` from now on.

        Raises `MeasureError` as `add` does.
        """
        found = self._files.get(file)
        if found is None:
            return None
        found = replace(found, order=order)
        self.add(found)
        return found

    def add(self, row: Effect) -> None:
        """Keep a row; raises `MeasureError` where the file cannot be written."""
        try:
            self._rows.add(row)
        except OSError as error:
            cause = f"sensitivity cannot be kept ({error.strerror})"
            raise MeasureError(str(self._rows.path), cause, "Free some space and run it again.") from error
        self._files[row.file] = row

    def __len__(self) -> int:
        return len(self._rows)


def order_of(plan: Plan, target: Target, calibration: str) -> str:
    """Digest of what decides the file of a plan: the rows that do something, the repairs, the target, and,
    where the rows look at samples, the key of the `calibration` samples and the method. Layers left alone
    and what was refused have no say; nor has the order of the repairs, which is the pipeline's.
    """
    rows = [replace(row, refused=()) for row in plan.layers if row.touched]
    looks = (calibration, plan.calibration) if any(row.looks for row in rows) else ()
    told = (VERSION, __version__, rows, sorted(plan.repair), target, spelled_out(target.name), looks)
    return sha256(msgspec.json.encode(told)).hexdigest()


def store_name(model: str, data: str, samples: int, runtime: str) -> str:
    """A file name by what all rows depend on: content keys of model and data, sample count, runtime."""
    digest = sha256("\n".join((str(VERSION), model, data, str(samples), runtime)).encode())
    return f"{digest.hexdigest()}.jsonl"
