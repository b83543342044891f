"""One picture to one input tensor: decode, resize, crop, scale, normalize, lay out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.data.reference import Preprocessing
from studio.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".gif")
MAX_PIXELS = 64_000_000


def prepared(path: Path, how: Preprocessing) -> NDArray[np.float32]:
    """The picture at `path` as float32 (C, H, W) or (H, W, C); `DataError` names the picture."""
    picture = _sized(_decoded(path, how), how)
    values = np.asarray(picture, dtype=np.float32)
    if values.ndim == 2:
        values = values[:, :, None]
    if how.channels == "BGR":
        values = values[:, :, ::-1]
    values = (values * np.float32(how.scale) - _channels(how.mean)) / _channels(how.std)
    if how.layout == "NCHW":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values, dtype=np.float32)


def check(how: Preprocessing, origin: str) -> None:
    """Raise `DataError` where the numbers of `how` make no sense."""
    depth = 1 if how.channels == "L" else 3
    for name, values in (("mean", how.mean), ("std", how.std)):
        if len(values) not in (1, depth):
            cause = f"{name} has {len(values)} values for {depth} channels"
            raise DataError(origin, cause, f"Give 1 or {depth}.")
    if not all(np.isfinite((how.scale, *how.mean, *how.std))) or 0.0 in how.std:
        raise DataError(origin, "scale, mean or std is not a usable number", "std must not hold 0.")
    sizes = [how.crop or (), how.resize if isinstance(how.resize, tuple) else (how.resize or 1,)]
    if not all(1 <= size <= 8192 for size in (*sizes[0], *sizes[1])):
        raise DataError(origin, "resize or crop is out of range", "Use 1 to 8192 pixels.")


def _decoded(path: Path, how: Preprocessing) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                raise DataError(
                    str(path), f"{width} × {height} pixels is too large", "Scale it down or remove it."
                )
            _draft(opened, how)
            return _eight_bits(path, opened).convert("L" if how.channels == "L" else "RGB")
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError(
            str(path), f"cannot be decoded ({str(error)[:120]})", "Replace or remove the picture."
        ) from error


def _eight_bits(path: Path, opened: Image) -> Image:
    """16-bit pictures at 8 bits; Pillow's own conversion cuts them off at 255, which is white."""
    from PIL import Image

    if opened.mode in ("I", "F"):
        cause = "its pixels have 32 bits, and which value is white is not said"
        raise DataError(str(path), cause, "Save it with 8 or 16 bits per channel.")
    if not opened.mode.startswith("I;16"):
        return opened
    return Image.fromarray(np.rint(np.asarray(opened, dtype=np.float32) / 257).astype(np.uint8))


def _draft(opened: Any, how: Preprocessing) -> None:
    """Let JPEG skip detail that the resize throws away, but never below twice the wanted size."""
    if isinstance(how.resize, int):
        opened.draft(None, (how.resize * 2, how.resize * 2))


def _sized(picture: Image, how: Preprocessing) -> Image:
    from PIL import Image

    if how.resize is not None:
        height, width = _target(picture.height, picture.width, how.resize)
        if (width, height) != picture.size:
            picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    if how.crop is None:
        return picture
    height, width = how.crop
    left, top = round((picture.width - width) / 2), round((picture.height - height) / 2)
    return picture.crop((left, top, left + width, top + height))


def _target(height: int, width: int, resize: int | tuple[int, int]) -> tuple[int, int]:
    if isinstance(resize, tuple):
        return resize
    if height <= width:
        return resize, max(1, int(resize * width / height))
    return max(1, int(resize * height / width)), resize


def _channels(values: tuple[float, ...]) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)
