"""Frozen descriptions of data: what crosses to the worker instead of the samples themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

PREPROCESSING = "preprocessing.json"


class Preprocessing(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a picture becomes an input tensor: resize, centre crop, (x · scale − mean) / std, layout.

    `resize` is the length of the shorter side or (height, width) in pixels; `scale` multiplies
    0..255; `mean` and `std` are per channel, after scaling.
    """

    resize: int | tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    channels: Literal["RGB", "BGR", "L"] = "RGB"


class Adjustment(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is done to samples of floats after they were read: layout, then channels, then
    (x · scale − mean) / std.

    `layout` is `sides` where height and width are exchanged, `planes` where the values lie channels last in
    samples that say channels first, or the other way round. `exchanged`: red and blue change places.
    """

    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    exchanged: bool = False
    layout: Literal["", "planes", "sides"] = ""


@dataclass(frozen=True, slots=True)
class DataRef:
    """Where a data set is and how to read it. `limit` takes only the first so many samples (0: all).

    `adjust` is done to the samples one after the other, whatever file or picture they come from.
    `shared`: ranges are found on the samples that are evaluated, also where it has others for that.
    """

    path: str
    preprocessing: Preprocessing | None = None
    limit: int = 0
    shared: bool = False
    adjust: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What a data set turned out to be. `key` is a digest of its content and preprocessing."""

    ref: DataRef
    key: str
    kind: str
    n: int
    labelled: bool
    classes: int
    sample_shape: tuple[int, ...]
    dtype: str
    calibration_n: int
    calibration_separate: bool
    notes: tuple[str, ...] = ()
