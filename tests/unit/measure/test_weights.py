"""Weights as a built file has them: unpacked, in one scale with what they began as."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.control import Control
from studio.errors import MeasureError
from studio.graph.model import LayerFact
from studio.measure.weights import view, weight_of
from studio.recipe.settings import Recipe, Settings
from studio.workbench.api import Job, ModelRef
from studio.workbench.local import LocalWorkbench


def _layer(shape: tuple[int, ...]) -> LayerFact:
    return LayerFact("l", "Conv", 0, "w", None, shape, 0, 1, 1, 1, 4, None, 32, "g", True)


@pytest.mark.slow
def test_weights_are_read_back_from_packed_bits(sample: Path, tmp_path: Path) -> None:
    bench = LocalWorkbench(tmp_path, threads=1)
    facts = bench.open(str(sample), Control())
    name = facts.layers[3].name
    job = Job(ModelRef.to(facts), Recipe().with_rule(name, Settings(bits=4)))
    found = bench.weights(job, name, Control())
    assert sum(found.before) == sum(found.after) == found.count
    assert 2 <= len(found.grid) <= 16
    assert found.sqnr_db is not None
    assert 5 < found.sqnr_db < 40
    assert len(found.ranges_after) == facts.layers[3].out_channels
    bench.close()


def test_equalization_is_no_noise() -> None:
    chance = np.random.default_rng(3)
    before = chance.normal(size=(8, 6, 3, 3)).astype(np.float32)
    factors = chance.uniform(0.2, 5, size=(8, 1, 1, 1)) / chance.uniform(0.2, 5, size=(1, 6, 1, 1))
    after = (before * factors).astype(np.float32)
    found = view(_layer(before.shape), before, after)
    assert found.sqnr_db is None or found.sqnr_db > 100
    np.testing.assert_allclose(found.ranges_before, found.ranges_after, rtol=1e-4)


def test_what_is_no_constant_is_told(sample: Path) -> None:
    assert weight_of(str(sample), "no such node") is None
    with pytest.raises(MeasureError, match="constants"):
        view(_layer((1,)), None, None)
