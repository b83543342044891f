from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from studio.control import Cancelled, Control
from studio.data.datasets import CalibrationSamples, open_data
from studio.data.reference import DataRef
from studio.errors import DataError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 1, 8, 8)).astype(np.float32)
Y = RNG.integers(0, 4, 50)


@pytest.fixture
def image(model):
    return model(image=("N", 1, 8, 8))


def opened(path: Path, facts, limit: int = 0, **arrays: np.ndarray):
    np.savez(path / "d.npz", **arrays)
    return open_data(DataRef(str(path / "d.npz"), limit=limit), facts)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_fed_as_they_are(tmp_path, image, save):
    save(tmp_path / "d.npz", x=X, y=Y, x_calibration=X[:7])
    data = open_data(DataRef(str(tmp_path / "d.npz")), image)
    assert (len(data), data.facts.labelled, data.facts.classes, data.facts.kind) == (50, True, 4, "npz")
    assert (data.facts.sample_shape, data.facts.dtype) == ((1, 8, 8), "float32")
    np.testing.assert_array_equal(data.inputs(3, 9)["image"], X[3:9])
    np.testing.assert_array_equal(data.labels(3, 9), Y[3:9])
    np.testing.assert_array_equal(data.inputs(45, 99)["image"], X[45:])
    assert (data.facts.calibration_n, data.facts.calibration_separate, data.facts.notes) == (7, True, ())
    np.testing.assert_array_equal(np.concatenate([b["image"] for b in data.calibration(99)]), X[:7])


def test_stored_arrays_are_mapped_not_read(tmp_path, image):
    data = opened(tmp_path, image, x=X)
    assert isinstance(data._arrays["image"], np.memmap)
    assert not isinstance(data.inputs(0, 2)["image"], np.memmap)


def test_fortran_order_and_big_endian(tmp_path, image):
    data = opened(tmp_path, image, x=np.asfortranarray(X).astype(">f4"))
    np.testing.assert_array_equal(data.inputs(0, 50)["image"], X)
    assert data.inputs(0, 1)["image"].flags["C_CONTIGUOUS"]


def test_npy_and_input_name_as_key(tmp_path, image):
    np.save(tmp_path / "d.npy", X)
    assert not open_data(DataRef(str(tmp_path / "d.npy")), image).facts.labelled
    assert len(opened(tmp_path, image, image=X, labels=Y)) == 50


def test_calibration_is_spread_over_the_set_where_none_is_separate(tmp_path, image):
    data = opened(tmp_path, image, x=X, y=Y)
    chosen = np.concatenate([batch["image"] for batch in data.calibration(5)])
    np.testing.assert_array_equal(chosen, X[[0, 12, 24, 36, 49]])
    assert "evaluated too; labels are not used" in data.facts.notes[0]
    assert not data.facts.calibration_separate


def test_samples_ordered_by_class_are_shuffled_the_same_way_each_time(tmp_path, image):
    data = opened(tmp_path, image, x=X, y=np.sort(Y))
    assert len(set(data.labels(0, 12).tolist())) == 4
    row = int(data.origin(5).removeprefix("row "))
    np.testing.assert_array_equal(data.inputs(5, 6)["image"][0], X[row])
    assert data.labels(5, 6)[0] == np.sort(Y)[row]
    again = opened(tmp_path, image, x=X, y=np.sort(Y))
    assert [again.origin(i) for i in range(50)] == [data.origin(i) for i in range(50)]
    assert sorted(data.origin(i) for i in range(50)) == sorted(f"row {i}" for i in range(50))


def test_limit_and_key(tmp_path, image):
    whole, few = opened(tmp_path, image, x=X, y=Y), opened(tmp_path, image, limit=10, x=X, y=Y)
    assert len(few) == 10
    assert whole.facts.key == opened(tmp_path, image, x=X, y=Y).facts.key
    (tmp_path / "other").mkdir()
    assert len({whole.facts.key, few.facts.key, opened(tmp_path, image, x=X + 1, y=Y).facts.key}) == 3
    assert opened(tmp_path / "other", image, x=X, y=Y).facts.key == whole.facts.key
    assert CalibrationSamples(whole, 5).key != CalibrationSamples(whole, 6).key
    assert CalibrationSamples(whole, 50).key == CalibrationSamples(whole, 900).key


def test_several_inputs_by_name(tmp_path, model):
    two = model(left=("N", 3), right=("N", 2))
    left, right = RNG.normal(size=(2, 9, 3)).astype("f4")[0], RNG.normal(size=(9, 2)).astype("f4")
    data = opened(
        tmp_path, two, left=left, right=right, left_calibration=left[:2], right_calibration=right[:2]
    )
    assert {name: a.shape for name, a in data.inputs(0, 4).items()} == {"left": (4, 3), "right": (4, 2)}
    assert data.facts.calibration_n == 2
    with pytest.raises(DataError, match="no array 'right'"):
        opened(tmp_path, two, left=left)
    with pytest.raises(DataError, match=r"differ in length \(left: 9, right: 5\)"):
        opened(tmp_path, two, left=left, right=right[:5])
    with pytest.raises(DataError, match="missing: right_calibration"):
        opened(tmp_path, two, left=left, right=right, left_calibration=left)


def test_fixed_batch_gets_whole_calibration_batches(tmp_path, model):
    data = opened(tmp_path, model(image=(8, 1, 8, 8)), x=X)
    assert [len(batch["image"]) for batch in data.calibration(20)] == [8, 8]


def test_float64_is_converted_and_said(tmp_path, image):
    data = opened(tmp_path, image, x=X.astype(np.float64))
    assert data.inputs(0, 1)["image"].dtype == np.float32
    assert "holds float64; converted to float32" in data.facts.notes[0]


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (X[:, 0], r"\(50, 8, 8\), input 'image' takes \(N, 1, 8, 8\).*x\[:, None\]"),
        (X.transpose(0, 2, 3, 1), r"x\.transpose\(0, 3, 1, 2\)"),
        (X.reshape(50, 64), r"x\.reshape\(\(-1, 1, 8, 8\)\)"),
        (X[0], r"x\[None\]"),
        (X[:, :, :5], r"\(50, 1, 5, 8\)"),
        ((X * 9).astype(np.uint8), "holds uint8, input 'image' takes float32.*scaled as"),
        (X[:0], "no samples"),
        (np.array([{}], dtype=object), "never unpickled|not a readable"),
        (np.array(["a"]), "not numbers"),
    ],
)
def test_what_does_not_fit_says_what_to_do(tmp_path, image, x, said):
    with pytest.raises(DataError, match=said):
        opened(tmp_path, image, x=x)


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (Y[:9], "9 labels for 50 samples"),
        (np.eye(4)[Y], r"y\.argmax\(axis=1\)"),
        (Y.astype(str), "not numbers"),
        (Y - 1, "negative"),
    ],
)
def test_labels_are_checked(tmp_path, image, y, said):
    with pytest.raises(DataError, match=said):
        opened(tmp_path, image, x=X, y=y)


def test_hostile_files(tmp_path, image):
    def fails(path: Path, said: str) -> None:
        with pytest.raises(DataError, match=said):
            open_data(DataRef(str(path)), image).inputs(0, 50)

    (tmp_path / "junk.npz").write_bytes(b"PK\x03\x04 not really")
    fails(tmp_path / "junk.npz", "not a readable numpy file")
    np.save(tmp_path / "cut.npy", X)
    os.truncate(tmp_path / "cut.npy", 500)
    fails(tmp_path / "cut.npy", "promises 12,800 bytes")
    fails(tmp_path / "none.npz", "no such file")
    (tmp_path / "a.txt").write_text("x")
    fails(tmp_path / "a.txt", "not known")
    os.mkfifo(tmp_path / "pipe.npz")
    fails(tmp_path / "pipe.npz", "not known")
    fails(_bomb(tmp_path), "bytes")


def _bomb(folder: Path) -> Path:
    """A small archive whose array claims a terabyte."""
    head = b"\x93NUMPY\x01\x00"
    text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4000000000, 1, 8, 8), }"
    text = text.ljust(117) + b"\n"
    path = folder / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", head + len(text).to_bytes(2, "little") + text + bytes(4096))
    return path


def test_damaged_compressed_member(tmp_path, image):
    np.savez_compressed(tmp_path / "d.npz", x=X)
    raw = bytearray((tmp_path / "d.npz").read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 40] = bytes(40)
    (tmp_path / "d.npz").write_bytes(raw)
    with pytest.raises(DataError, match="damaged"):
        open_data(DataRef(str(tmp_path / "d.npz")), image)


def test_opening_can_be_cancelled(tmp_path, image):
    np.savez(tmp_path / "d.npz", x=X)
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        open_data(DataRef(str(tmp_path / "d.npz")), image, control)


def test_what_is_not_a_number_is_named_by_its_row(tmp_path, image):
    x = X.copy()
    x[31, 0, 2, 2] = np.nan
    data = opened(tmp_path, image, x=x)
    assert len(data.inputs(0, 31)["image"]) == 31
    with pytest.raises(DataError, match="row 31 of 'image'"):
        data.inputs(16, 48)
