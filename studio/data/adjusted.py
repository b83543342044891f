"""Samples changed after they were read: as the model was trained on them, where they are stored otherwise."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from studio.data.reference import Adjustment
from studio.data.samples import Arrays, Dataset
from studio.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLOURS = (1, 3, 4)
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as torchvision's models want it
_KNOWN = {
    Adjustment(): (),
    Adjustment(scale=1 / 255): ("x / 255",),
    Adjustment(scale=255.0): ("x · 255",),
    Adjustment(scale=1 / 127.5, mean=(1.0,)): ("x / 127.5 − 1",),
    Adjustment(scale=2.0, mean=(1.0,)): ("2 x − 1",),
    Adjustment(scale=0.5, mean=(-0.5,)): ("(x + 1) / 2",),
    Adjustment(mean=_MEAN, std=_STD): ("ImageNet's mean and std",),
    Adjustment(scale=1 / 255, mean=_MEAN, std=_STD): ("x / 255", "ImageNet's mean and std"),
}
# What is usually done to the values of samples, and of pictures in colours.
VALUES, FOR_COLOURS = tuple(_KNOWN)[1:6], tuple(_KNOWN)[6:]
_LAYOUTS = {"planes": "channels last taken for first undone", "sides": "height and width exchanged"}


class Adjusted(Dataset):
    """`whole` with `how` done to every float input, calibration samples included.

    Its key tells its content from the whole's; its reference is that of `whole` with `how` added. Raises
    `DataError` where `how` does not fit the samples.
    """

    def __init__(self, whole: Dataset, how: Adjustment) -> None:
        digest = sha256(msgspec.json.encode(how, order="sorted")).hexdigest()
        ref = replace(whole.facts.ref, adjust=(*whole.facts.ref.adjust, how))
        super().__init__(
            replace(whole.facts, ref=ref, key=f"{whole.facts.key}:{digest[:16]}"), whole.fixed_batch
        )
        self._whole, self._how = whole, how
        check(how, whole.facts.sample_shape, whole.facts.ref.path)

    def inputs(self, start: int, stop: int) -> Arrays:
        return self._changed(self._whole.inputs(start, stop))

    def labels(self, start: int, stop: int) -> NDArray[np.generic] | None:
        return self._whole.labels(start, stop)

    def origin(self, index: int) -> str:
        return self._whole.origin(index)

    def _calibration_inputs(self, start: int, stop: int) -> Arrays:
        return self._changed(self._whole._calibration_inputs(start, stop))

    def _changed(self, arrays: Arrays) -> Arrays:
        return {name: adjusted(array, self._how) for name, array in arrays.items()}


def text(how: Adjustment) -> str:
    """What is done, in words."""
    return ", then ".join(steps(how))


def steps(how: Adjustment) -> tuple[str, ...]:
    """What is done, in the order in which it is."""
    values = msgspec.structs.replace(how, exchanged=False, layout="")
    mean, std = (", ".join(f"{value:.3g}" for value in each) for each in (how.mean, how.std))
    formula = (f"(x · {how.scale:.3g} − [{mean}]) / [{std}]",)
    layout = (_LAYOUTS[how.layout],) if how.layout else ()
    exchanged = ("red and blue exchanged",) if how.exchanged else ()
    return (*layout, *exchanged, *_KNOWN.get(values, formula))


def check(how: Adjustment, shape: tuple[int, ...], origin: str) -> None:
    """Raise `DataError` where `how` does not fit samples of this shape."""
    numbers = (how.scale, *how.mean, *how.std)
    if not all(np.isfinite(numbers)) or 0.0 in how.std:
        raise DataError(origin, "scale, mean or std is not a usable number", "std must not hold 0.")
    pictures = len(shape) == 3 and (shape[0] in COLOURS or shape[-1] in COLOURS)
    planes = shape[channel_axis(shape)] if pictures else 1
    if {len(how.mean), len(how.std)} - {1, planes}:
        cause = f"mean or std has not as many values as there are channels ({planes})"
        raise DataError(origin, cause, f"Give 1 or {planes}.")
    if (how.exchanged or how.layout) and not pictures:
        fix = "Leave the exchange and the layout out."
        raise DataError(origin, f"samples of shape {shape} are no pictures", fix)


def channel_axis(shape: tuple[int, ...]) -> int:
    """Of a picture's three axes the one of its channels."""
    return 0 if shape[0] in COLOURS else 2


def adjusted(array: NDArray[np.generic], how: Adjustment) -> NDArray[np.generic]:
    """`array` (N, …) of floats as `how` says, in its own dtype and shape; integers as they are."""
    if not np.issubdtype(array.dtype, np.floating):
        return array
    values = np.asarray(array, np.float32)
    axis = 1 + channel_axis(values.shape[1:]) if values.ndim == 4 else -1
    if how.layout:
        values = _laid_out(values, axis, how.layout)
    if how.exchanged:
        values = np.flip(values, axis)
    wide = [1] * values.ndim
    wide[axis] = -1
    mean, std = (np.reshape(np.asarray(each, np.float32), wide) for each in (how.mean, how.std))
    return np.ascontiguousarray((values * np.float32(how.scale) - mean) / std, array.dtype)


def _laid_out(values: NDArray[np.float32], axis: int, layout: str) -> NDArray[np.float32]:
    """Pictures (N, C, H, W) or (N, H, W, C), by the axis of C, put right."""
    if layout == "sides":
        return values.swapaxes(2, 3) if axis == 1 else values.swapaxes(1, 2)
    count, *sizes = values.shape
    if axis == 1:
        planes, height, width = sizes
        return values.reshape(count, height, width, planes).transpose(0, 3, 1, 2)
    height, width, planes = sizes
    return values.reshape(count, planes, height, width).transpose(0, 2, 3, 1)
