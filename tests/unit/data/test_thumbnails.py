"""Small pictures of samples."""

from __future__ import annotations

import numpy as np
import pytest

from studio.data.thumbnails import SIDE, thumbnail


@pytest.mark.parametrize(
    ("shape", "size"),
    [((28, 20), (20, 28, 1)), ((1, 28, 28), (28, 28, 1)), ((3, 8, 6), (6, 8, 3)), ((8, 6, 3), (6, 8, 3))],
)
def test_planes_are_found(shape: tuple[int, ...], size: tuple[int, int, int]) -> None:
    made = thumbnail(7, np.linspace(-2, 2, int(np.prod(shape)), dtype=np.float32).reshape(shape))
    assert made is not None
    assert (made.sample, made.width, made.height, made.planes) == (7, *size)
    assert len(made.pixels) == size[0] * size[1] * size[2]
    assert (min(made.pixels), max(made.pixels)) == (0, 255)


def test_large_pictures_are_thinned() -> None:
    made = thumbnail(0, np.zeros((3, 224, 300), dtype=np.float32))
    assert made is not None
    assert max(made.width, made.height) <= SIDE


def test_what_is_no_picture_is_none() -> None:
    assert thumbnail(0, np.zeros(10)) is None
    assert thumbnail(0, np.zeros((5, 8, 8))) is None
    assert thumbnail(0, np.full((8, 8), np.nan)) is None
