"""Data sets in `.npz` and `.npy` files: arrays fed to the model as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studio.control import Control
from studio.data import digest
from studio.data.fit import check_batch, check_dtype, check_shape, fitted, fixed_batch, shape_text
from studio.data.npy import Member, members
from studio.data.reference import DataFacts, DataRef
from studio.data.samples import Arrays, Dataset, shuffled
from studio.errors import DataError
from studio.graph.model import Facts, TensorFact

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = ("y", "labels", "label")
CALIBRATION = ("x_calibration", "x_calib", "calibration")
ORDERED_NOTE = "the samples are ordered by class: they are visited in a fixed shuffled order"
SHARED_NOTE = (
    "no separate calibration samples: ranges are found on samples that are evaluated too; labels are not used"
)


class ArrayDataset(Dataset):
    """Arrays mapped from disk where they are stored plainly."""

    def __init__(self, facts: DataFacts, columns: Columns) -> None:
        super().__init__(facts, columns.fixed_batch)
        self._tensors = columns.tensors
        self._arrays = {name: member.load() for name, member in columns.samples.items()}
        self._calibration = {name: member.load() for name, member in columns.calibration.items()}
        self._labels, self._order = columns.labels, columns.order

    def inputs(self, start: int, stop: int) -> Arrays:
        return self._taken(self._arrays, self._rows(start, stop))

    def labels(self, start: int, stop: int) -> NDArray[np.generic] | None:
        return None if self._labels is None else self._labels[self._rows(start, stop)]

    def origin(self, index: int) -> str:
        return f"row {index if self._order is None else self._order[index]}"

    def _calibration_inputs(self, start: int, stop: int) -> Arrays:
        return self._taken(self._calibration, slice(start, stop))

    def _rows(self, start: int, stop: int) -> slice | NDArray[np.int64]:
        rows = slice(start, min(stop, len(self)))
        return rows if self._order is None else self._order[rows]

    def _taken(self, arrays: Arrays, rows: slice | NDArray[np.int64]) -> Arrays:
        found = {name: fitted(array[rows], self._tensors[name]) for name, array in arrays.items()}
        for name, array in found.items():
            self._check_numbers(name, array, rows)
        return found

    def _check_numbers(self, name: str, array: NDArray[np.generic], rows: slice | NDArray[np.int64]) -> None:
        if array.dtype.kind != "f" or not np.isnan(array).any():
            return
        first = int(np.isnan(array).reshape(len(array), -1).any(axis=1).argmax())
        row = first + rows.start if isinstance(rows, slice) else int(rows[first])
        cause = f"row {row} of {name!r} holds values that are not numbers (NaN)"
        raise DataError(self.facts.ref.path, cause, "Mend or remove the row.")


@dataclass(frozen=True)
class Columns:
    """Which array of a file feeds which input of the model."""

    tensors: dict[str, TensorFact]
    samples: dict[str, Member]
    calibration: dict[str, Member]
    labels: NDArray[np.generic] | None
    fixed_batch: int
    notes: tuple[str, ...] = ()

    @cached_property
    def order(self) -> NDArray[np.int64] | None:
        """The order to visit the rows in; None for that of the file.

        A run that stops early must have seen samples of every kind.
        """
        if self.labels is None or not _are_classes(self.labels) or not _by_class(self.labels):
            return None
        return shuffled(len(self.labels))


def open_arrays(ref: DataRef, path: Path, model: Facts, control: Control) -> ArrayDataset:
    """Open a `.npz` or `.npy` file for `model`; `DataError` where it does not fit."""
    columns = _columns(path, members(path), model)
    total = _common_length(path, columns.samples)
    if columns.labels is not None and len(columns.labels) != total:
        cause = f"y has {len(columns.labels)} labels for {total} samples"
        raise DataError(str(path), cause, "Save one label per sample.")
    facts = _facts(ref, path, columns, min(total, ref.limit) if ref.limit else total, control)
    return ArrayDataset(facts, columns)


def _columns(path: Path, found: dict[str, Member], model: Facts) -> Columns:
    tensors = {tensor.name: tensor for tensor in model.inputs}
    if not tensors:
        raise DataError(str(path), "the model has no inputs", "Open a model that takes data.")
    check_batch(model)
    samples = {name: _sample_member(path, found, name, len(tensors) == 1) for name in tensors}
    calibration = _calibration_members(path, found, tuple(tensors))
    notes = [_fit(member, tensors[name]) for part in (samples, calibration) for name, member in part.items()]
    labels = next((_labels(found[name]) for name in LABELS if name in found and name not in tensors), None)
    kept = tuple(note for note in dict.fromkeys(notes) if note)
    return Columns(tensors, samples, calibration, labels, fixed_batch(model), kept)


def _sample_member(path: Path, found: dict[str, Member], name: str, alone: bool) -> Member:
    for key in (name, "x") if alone else (name,):
        if key in found:
            return found[key]
    names = ", ".join(sorted(found)) or "nothing"
    wanted = f"'x' or {name!r}" if alone else repr(name)
    raise DataError(
        str(path), f"it holds {names}, but no array {wanted}", "Save one array per model input, by its name."
    )


def _calibration_members(path: Path, found: dict[str, Member], names: tuple[str, ...]) -> dict[str, Member]:
    if len(names) == 1:
        keys = (*CALIBRATION, f"{names[0]}_calibration")
        return next(({names[0]: found[key]} for key in keys if key in found), {})
    chosen = {name: found[f"{name}_calibration"] for name in names if f"{name}_calibration" in found}
    if chosen and len(chosen) < len(names):
        missing = ", ".join(f"{name}_calibration" for name in names if name not in chosen)
        raise DataError(str(path), f"calibration arrays are missing: {missing}", "Save all of them, or none.")
    return chosen


def _fit(member: Member, tensor: TensorFact) -> str:
    check_shape(member.label, member.shape, tensor)
    return check_dtype(member.label, member.dtype, tensor)


def _labels(member: Member) -> NDArray[np.generic]:
    """Classes (N,), masks or tokens (N, …) as int64; targets (N, …) as they are."""
    if not member.shape or member.dtype.kind not in "iuf":
        cause = f"the labels are {member.dtype} of shape {shape_text(member.shape)}"
        raise DataError(member.label, cause, "Save one class number, mask or target per sample.")
    labels = member.load()
    if labels.ndim == 2 and _one_hot(labels):
        cause = f"the labels have shape {shape_text(member.shape)}, one class number per sample is needed"
        raise DataError(member.label, cause, "Save y.argmax(axis=1).")
    if member.dtype.kind == "f":
        return labels
    if labels.ndim == 1 and labels.size and labels.min() < 0:
        raise DataError(member.label, "a label is negative", "Number the classes from 0.")
    return labels.astype(np.int64)


def _one_hot(labels: NDArray[np.generic]) -> bool:
    wide = labels.shape[1] > 1 and bool(np.isin(labels, (0, 1)).all())
    return wide and bool((labels.sum(axis=1) == 1).all())


def _are_classes(labels: NDArray[np.generic]) -> bool:
    return labels.ndim == 1 and labels.dtype.kind == "i"


def _by_class(labels: NDArray[np.generic]) -> bool:
    """Whether neighbours share their class far more often than chance would have it."""
    if len(labels) < 2:
        return False
    _, counts = np.unique(labels, return_counts=True)
    chance = float(((counts / len(labels)) ** 2).sum())
    return chance < 1 and float((labels[1:] == labels[:-1]).mean()) > (1 + chance) / 2


def _common_length(path: Path, samples: dict[str, Member]) -> int:
    lengths = {member.shape[0] for member in samples.values()}
    if len(lengths) > 1:
        text = ", ".join(f"{name}: {member.shape[0]}" for name, member in samples.items())
        raise DataError(
            str(path), f"the inputs differ in length ({text})", "Save one row per sample in each."
        )
    total = lengths.pop()
    if total == 0:
        raise DataError(str(path), "it holds no samples", "Save at least one sample.")
    return total


def _facts(ref: DataRef, path: Path, columns: Columns, n: int, control: Control) -> DataFacts:
    first = next(iter(columns.samples.values()))
    own = next((member.shape[0] for member in columns.calibration.values()), 0)
    separate = 0 if ref.shared else own
    labels = columns.labels
    facts = DataFacts(
        ref=ref,
        key=digest.of_file(path, f"arrays:{n}", control),
        kind=path.suffix.lower().lstrip("."),
        n=n,
        labelled=labels is not None,
        classes=int(labels.max()) + 1 if labels is not None and _are_classes(labels) else 0,
        sample_shape=first.shape[1:],
        dtype=str(first.dtype),
        calibration_n=separate or n,
        calibration_separate=separate > 0,
        notes=columns.notes if columns.order is None else (*columns.notes, ORDERED_NOTE),
    )
    return facts if separate else replace(facts, notes=(*facts.notes, SHARED_NOTE))
