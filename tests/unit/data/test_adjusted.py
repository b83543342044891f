"""Samples changed after they were read."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from studio.data.adjusted import text
from studio.data.datasets import open_data
from studio.data.reference import Adjustment, DataRef
from studio.errors import DataError

X = np.random.default_rng(0).random((20, 3, 6, 8)).astype(np.float32)


@pytest.fixture
def opened(tmp_path: Path, model):
    np.savez(tmp_path / "d.npz", x=X, y=np.arange(20) % 4, x_calibration=X[:5])

    def go(*how: Adjustment, shape: tuple[int | str, ...] = ("N", 3, 6, 8)):
        return open_data(DataRef(str(tmp_path / "d.npz"), adjust=how), model(image=shape))

    return go


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Adjustment(scale=255.0), 255 * X),
        (Adjustment(mean=(0.1, 0.2, 0.3)), X - np.reshape([0.1, 0.2, 0.3], (3, 1, 1))),
        (Adjustment(std=(2.0, 4.0, 8.0)), X / np.reshape([2, 4, 8], (3, 1, 1))),
        (Adjustment(exchanged=True), X[:, ::-1]),
        (Adjustment(layout="planes"), X.reshape(20, 6, 8, 3).transpose(0, 3, 1, 2)),
        (Adjustment(exchanged=True, mean=(1.0, 0.0, 0.0)), X[:, ::-1] - np.reshape([1, 0, 0], (3, 1, 1))),
    ],
)
def test_samples_and_calibration_samples_are_changed_alike(opened, how, expected):
    data = opened(how)
    np.testing.assert_allclose(data.inputs(0, 20)["image"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(next(data.calibration(5))["image"], expected[:5], rtol=1e-5, atol=1e-6)
    assert data.inputs(0, 2)["image"].dtype == np.float32
    np.testing.assert_array_equal(data.labels(0, 4), [0, 1, 2, 3])


def test_steps_follow_each_other_and_the_content_has_keys_of_its_own(opened):
    twice, half = Adjustment(scale=2.0), Adjustment(mean=(0.5,))
    data = opened(twice, half)
    np.testing.assert_allclose(data.inputs(0, 20)["image"], 2 * X - 0.5, rtol=1e-5, atol=1e-6)
    assert data.facts.ref.adjust == (twice, half)
    keys = {opened(*how).facts.key for how in ((), (twice,), (half,), (twice, half), (half, twice))}
    assert len(keys) == 5


@pytest.mark.parametrize(
    "how",
    [
        Adjustment(std=(0.0,)),
        Adjustment(scale=float("nan")),
        Adjustment(mean=(1.0, 2.0)),
    ],
)
def test_what_does_not_fit_is_refused(opened, how):
    with pytest.raises(DataError):
        opened(how)


def test_rows_of_numbers_have_no_layout(tmp_path: Path, model):
    np.savez(tmp_path / "d.npz", x=X[:, 0, 0])
    ref, facts = DataRef(str(tmp_path / "d.npz"), adjust=(Adjustment(exchanged=True),)), model(image=("N", 8))
    with pytest.raises(DataError, match="no pictures"):
        open_data(ref, facts)


def test_a_project_keeps_what_is_done_to_its_samples():
    ref = DataRef("d.npz", adjust=(Adjustment(scale=2.0, mean=(0.1, 0.2, 0.3)), Adjustment(layout="sides")))
    assert msgspec.json.decode(msgspec.json.encode(ref), type=DataRef) == ref
    old = b'{"path": "d.npz", "preprocessing": null, "limit": 0, "shared": false}'
    assert msgspec.json.decode(old, type=DataRef).adjust == ()


def test_each_step_has_its_words():
    how = Adjustment(scale=1 / 255, exchanged=True, layout="sides")
    assert text(how) == "height and width exchanged, then red and blue exchanged, then x / 255"
    assert text(Adjustment(scale=3.0, mean=(1.0,))) == "(x · 3 − [1]) / [1]"
