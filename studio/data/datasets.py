"""The door to data sets: a reference and a model in, samples that fit the model out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.control import Control
from studio.data.adjusted import Adjusted
from studio.data.arrays import open_arrays
from studio.data.folders import open_folder
from studio.data.reference import DataRef
from studio.data.samples import CalibrationSamples, Dataset
from studio.errors import DataError
from studio.graph.model import Facts

__all__ = ["CalibrationSamples", "Dataset", "open_data"]

KINDS = "Use a .npz with x (and y), a .npy, or a folder with one folder of pictures per class."


def open_data(ref: DataRef, model: Facts, control: Control | None = None) -> Dataset:
    """Open the data set at `ref.path` for `model`.

    `.npz`: `x` (N, …), or one array per model input by its name; `y` (N,) class numbers;
    `x_calibration` (M, …). `.npy`: `x` alone. A folder: see `studio.data.folders`.
    Raises `DataError` naming the file, what is wrong and what to do.
    """
    found: Dataset = _opened(replace(ref, adjust=()), model, control or Control())
    for how in ref.adjust:
        found = Adjusted(found, how)
    return found


def _opened(ref: DataRef, model: Facts, control: Control) -> Dataset:
    path = Path(ref.path)
    if path.is_dir():
        return _guarded(ref, path, model, control)
    if not path.exists():
        raise DataError(str(path), "there is no such file or folder", "Check the path.")
    if not path.is_file() or path.suffix.lower() not in (".npz", ".npy"):
        raise DataError(str(path), "this kind of data is not known", KINDS)
    return open_arrays(ref, path, model, control)


def _guarded(ref: DataRef, path: Path, model: Facts, control: Control) -> Dataset:
    try:
        return open_folder(ref, path, model, control)
    except OSError as error:
        cause = f"cannot be read ({error.strerror or error})"
        raise DataError(error.filename or str(path), cause, "Check the permissions.") from error
