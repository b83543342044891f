"""What builds keep is bounded, and a bound too small for anything changes no byte of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studio.compress.lending import Pool, weight
from studio.compress.levels.weights import Levels
from studio.control import Control
from studio.data.reference import DataRef
from studio.recipe.settings import Recipe, Settings
from studio.workbench.api import Job, ModelRef
from studio.workbench.local import LocalWorkbench


def test_the_longest_unused_make_room_but_not_for_a_build_that_uses_them() -> None:
    pool = Pool(100)
    one = pool.lend()
    one["a"] = np.zeros(60, np.uint8)
    other = pool.lend()
    other["b"] = [np.zeros(50, np.uint8)]
    assert "a" not in pool.lend()
    assert "b" in pool.lend()
    assert pool.used == 50
    assert one["a"].size == 60  # still there for the build that made it


def test_what_is_too_large_is_there_for_its_own_build_alone() -> None:
    pool = Pool(100)
    loan = pool.lend()
    loan["a"] = np.zeros(101, np.uint8)
    assert "a" in loan
    assert (pool.used, "a" in pool.lend()) == (0, False)
    with pytest.raises(KeyError):
        pool.lend()["a"]


def test_all_arrays_of_a_value_are_weighed() -> None:
    levels = Levels(np.zeros((4, 8), np.int8), np.zeros(4, np.float32), 0, 8, None)
    assert weight(levels) == 32 + 16
    assert weight({"one": (levels, 1.5), "other": [levels, "text", None]}) == 2 * 48


@pytest.mark.slow
@pytest.mark.parametrize("most", [0, 300_000])
def test_files_are_the_same_whatever_is_kept(
    tmp_path: Path, sample: Path, sample_data: Path, most: int
) -> None:
    free, tight = (LocalWorkbench(tmp_path / name, threads=1) for name in ("free", "tight"))
    tight._passes = Pool(most)
    facts = free.open(str(sample), Control())
    base = Recipe(default=Settings(bits=8), calibration_samples=16, repair=("equalize", "bias"))
    job = Job(ModelRef.to(facts), base, DataRef(str(sample_data), None, 32))
    for layer, bits in ((3, 8), (3, 4), (9, 4), (3, 8)):
        edit = replace(job, recipe=base.with_rule(facts.layers[layer].name, Settings(bits=bits)))
        assert tight.build(edit, Control()).sha256 == free.build(edit, Control()).sha256
        assert tight._passes.used <= most
    assert free._passes.used > 300_000  # the model and its calibration at least
