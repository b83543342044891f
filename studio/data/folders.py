"""Data sets in folders: one folder of pictures per class, or pictures without labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from studio.control import Control
from studio.data import digest, pictures
from studio.data.arrays import SHARED_NOTE
from studio.data.fit import check_dtype, check_shape, fitted, fixed_batch
from studio.data.reference import PREPROCESSING, DataFacts, DataRef, Preprocessing
from studio.data.samples import Arrays, Dataset, shuffled
from studio.errors import DataError
from studio.graph.model import Facts, TensorFact

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASSES = "classes.txt"
CALIBRATION = "calibration"
KEPT_BYTES = 256 << 20
Listed = list[tuple[Path, int]]  # a picture and its class, -1 without one


class PictureDataset(Dataset):
    """Pictures decoded when they are asked for; the first 256 MiB of tensors are kept."""

    def __init__(self, facts: DataFacts, tensor: TensorFact, how: Preprocessing, found: Found) -> None:
        super().__init__(facts, found.fixed_batch)
        self._tensor, self._how, self._found = tensor, how, found
        self._kept: dict[Path, NDArray[np.float32]] = {}
        self._spare = KEPT_BYTES

    def inputs(self, start: int, stop: int) -> Arrays:
        return self._batch(self._found.samples[start : min(stop, len(self))])

    def labels(self, start: int, stop: int) -> NDArray[np.int64] | None:
        if not self.facts.labelled:
            return None
        chosen = self._found.samples[start : min(stop, len(self))]
        return np.array([label for _, label in chosen], dtype=np.int64)

    def origin(self, index: int) -> str:
        return str(self._found.samples[index][0])

    def _calibration_inputs(self, start: int, stop: int) -> Arrays:
        return self._batch(self._found.calibration[start:stop])

    def _batch(self, listed: Listed) -> Arrays:
        stacked = np.stack([self._picture(path) for path, _ in listed])
        return {self._tensor.name: fitted(stacked, self._tensor)}

    def _picture(self, path: Path) -> NDArray[np.float32]:
        if path in self._kept:
            return self._kept[path]
        values = pictures.prepared(path, self._how)
        if self._kept or self._how.crop or isinstance(self._how.resize, tuple):
            self._check_same(path, values)
        if values.nbytes <= self._spare:
            self._spare -= values.nbytes
            self._kept[path] = values
        return values

    def _check_same(self, path: Path, values: NDArray[np.float32]) -> None:
        if values.shape != self.facts.sample_shape:
            cause = f"its tensor is {values.shape}, that of the first picture is {self.facts.sample_shape}"
            raise DataError(str(path), cause, f"Add crop or a fixed resize to {PREPROCESSING}.")


class Found:
    """What a folder holds: pictures with classes, class names, separate calibration pictures."""

    def __init__(self, root: Path, model: Facts) -> None:
        self.fixed_batch = fixed_batch(model)
        self.names = _class_names(root)
        self.samples = _listed(root, self.names)
        spare = root / CALIBRATION
        self.calibration: Listed = (
            _listed(spare, _class_names(spare)) if self.names and spare.is_dir() else []
        )


def open_folder(ref: DataRef, root: Path, model: Facts, control: Control) -> PictureDataset:
    """Open a folder of class folders, or of unlabelled pictures; `DataError` where it does not fit."""
    if len(model.inputs) != 1:
        cause = f"the model takes {len(model.inputs)} inputs, pictures feed one"
        raise DataError(str(root), cause, "Save a .npz with one array per model input, by its name.")
    tensor = model.inputs[0]
    how = ref.preprocessing or _preprocessing(root, tensor)
    pictures.check(how, str(root / PREPROCESSING))
    found = Found(root, model)
    found.samples = [found.samples[index] for index in shuffled(len(found.samples))]
    del found.samples[ref.limit or len(found.samples) :]
    if not found.samples:
        raise DataError(str(root), "no pictures were found", "Put pictures into one folder per class.")
    first = pictures.prepared(found.samples[0][0], how)
    _check(found.samples[0][0], first, tensor)
    return PictureDataset(_facts(ref, root, found, how, first, control), tensor, how, found)


def _check(path: Path, first: NDArray[np.float32], tensor: TensorFact) -> None:
    try:
        check_shape(str(path), (1, *first.shape), tensor)
    except DataError as error:
        fix = f"Mend resize, crop, layout or channels in {PREPROCESSING}."
        raise DataError(error.thing, error.cause, fix) from error
    check_dtype(str(path), first.dtype, tensor)


def _preprocessing(root: Path, tensor: TensorFact) -> Preprocessing:
    path = root / PREPROCESSING
    if not path.is_file():
        fix = f"Save {path.name} in it, for example {_example(tensor)}, with the numbers of the training."
        raise DataError(str(root), "how to turn its pictures into tensors is not known", fix)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Preprocessing)
    except (OSError, msgspec.MsgspecError) as error:
        known = ", ".join(Preprocessing.__struct_fields__)
        raise DataError(str(path), f"not a preprocessing file ({error})", f"Known names: {known}.") from error


def _example(tensor: TensorFact) -> str:
    sizes = [size for size in (tensor.shape or ())[1:] if isinstance(size, int) and size > 4]
    side = sizes[:2] if len(sizes) >= 2 else [224, 224]
    gray = tensor.shape is not None and 1 in (tensor.shape[1:2] + tensor.shape[-1:])
    example = {"resize": side, "mean": [0.5], "std": [0.5], "channels": "L" if gray else "RGB"}
    return msgspec.json.encode(example).decode()


def _class_names(root: Path) -> list[str]:
    names = sorted(
        path.name
        for path in root.iterdir()
        if path.is_dir() and path.name[0] not in "._" and path.name != CALIBRATION
    )
    order = root / CLASSES
    if not order.is_file():
        return names
    listed = [line.strip() for line in order.read_text("utf-8", "replace").splitlines() if line.strip()]
    unknown = [name for name in names if name not in listed]
    if unknown:
        raise DataError(str(order), f"class folder {unknown[0]!r} is not listed", "Add it at its place.")
    return listed


def _listed(root: Path, names: list[str]) -> Listed:
    if not names:
        return [(path, -1) for path in _pictures(root)]
    return [(path, label) for label, name in enumerate(names) for path in _pictures(root / name)]


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in pictures.SUFFIXES and path.is_file()
    )


def _facts(
    ref: DataRef, root: Path, found: Found, how: Preprocessing, first: NDArray[np.float32], control: Control
) -> DataFacts:
    samples, labelled = found.samples, bool(found.names)
    text = f"pictures:{msgspec.json.encode(how, order='sorted').decode()}:{found.names}"
    files = [path for path, _ in (*samples, *found.calibration)]
    separate = 0 if ref.shared else len(found.calibration)
    notes = (*_order_notes(root, found.names), *(() if separate else (SHARED_NOTE,)))
    return DataFacts(
        ref=ref,
        key=digest.of_tree(root, files, text, control),
        kind="pictures",
        n=len(samples),
        labelled=labelled,
        classes=len(found.names),
        sample_shape=first.shape,
        dtype="float32",
        calibration_n=separate or len(samples),
        calibration_separate=separate > 0,
        notes=notes,
    )


def _order_notes(root: Path, names: list[str]) -> tuple[str, ...]:
    numbers = all(name.isdecimal() for name in names) and len({len(name) for name in names}) > 1
    if numbers and not (root / CLASSES).is_file():
        first = ", ".join(names[:3])
        return (f"class folders are numbered in text order ({first}, …); {CLASSES} can set another",)
    return ()
