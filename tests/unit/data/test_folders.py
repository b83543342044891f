from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.data.datasets import open_data
from studio.data.pictures import prepared
from studio.data.reference import DataRef, Preprocessing
from studio.errors import DataError

HOW = {"resize": [8, 8], "mean": [0.5], "std": [0.25], "channels": "L"}


@pytest.fixture
def gray(model):
    return model(image=("N", 1, 8, 8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three classes of 4, 5 and 6 pictures, each of one brightness."""
    root = tmp_path / "set"
    for label, name in enumerate(("boot", "coat", "shirt")):
        (root / name).mkdir(parents=True)
        for index in range(4 + label):
            Image.new("L", (10, 12), 40 * label + index).save(root / name / f"{index}.png")
    (root / "preprocessing.json").write_text(json.dumps(HOW))
    (root / "boot" / "notes.txt").write_text("no picture")
    return root


def test_class_folders(folder, gray):
    data = open_data(DataRef(str(folder)), gray)
    facts = data.facts
    assert (facts.kind, len(data), facts.labelled, facts.classes) == ("pictures", 15, True, 3)
    labels = data.labels(0, 15)
    assert np.bincount(labels).tolist() == [4, 5, 6]
    assert labels.tolist() != sorted(labels.tolist())
    batch = data.inputs(0, 15)["image"]
    assert (batch.shape, batch.dtype) == ((15, 1, 8, 8), np.float32)
    for index, label in enumerate(labels):
        path = Path(data.origin(index))
        assert path.parent.name == ("boot", "coat", "shirt")[label]
        bright = 40 * label + int(path.stem)
        np.testing.assert_allclose(batch[index], (bright / 255 - 0.5) / 0.25, rtol=1e-5)


def test_same_order_and_key_each_time_other_key_for_other_preprocessing(folder, gray):
    one, two = open_data(DataRef(str(folder)), gray), open_data(DataRef(str(folder)), gray)
    assert one.facts.key == two.facts.key
    assert [one.origin(i) for i in range(15)] == [two.origin(i) for i in range(15)]
    other = Preprocessing(resize=(8, 8), channels="L")
    assert open_data(DataRef(str(folder), other), gray).facts.key != one.facts.key
    Image.new("L", (10, 12), 7).save(folder / "boot" / "0.png")
    assert open_data(DataRef(str(folder)), gray).facts.key != one.facts.key


def test_separate_calibration_folder(folder, gray):
    (folder / "calibration").mkdir()
    Image.new("L", (8, 8), 255).save(folder / "calibration" / "a.png")
    data = open_data(DataRef(str(folder)), gray)
    assert (data.facts.calibration_n, data.facts.calibration_separate, data.facts.classes) == (1, True, 3)
    np.testing.assert_allclose(next(data.calibration(5))["image"], 2.0, rtol=1e-5)


def test_pictures_without_labels(tmp_path, gray):
    (tmp_path / "preprocessing.json").write_text(json.dumps(HOW))
    Image.new("RGB", (20, 9), (255, 255, 255)).save(tmp_path / "a.jpg")
    data = open_data(DataRef(str(tmp_path)), gray)
    assert (len(data), data.facts.labelled, data.labels(0, 1)) == (1, False, None)


def test_classes_in_their_own_order(folder, gray):
    (folder / "classes.txt").write_text("shirt\ncoat\nboot\n")
    data = open_data(DataRef(str(folder)), gray)
    assert np.bincount(data.labels(0, 15)).tolist() == [6, 5, 4]
    (folder / "classes.txt").write_text("shirt\ncoat\n")
    with pytest.raises(DataError, match="'boot' is not listed"):
        open_data(DataRef(str(folder)), gray)


def test_numbered_classes_in_text_order_are_noted(tmp_path, gray):
    for name in ("2", "10"):
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / name / "a.png")
    (tmp_path / "preprocessing.json").write_text(json.dumps(HOW))
    notes = open_data(DataRef(str(tmp_path)), gray).facts.notes
    assert "text order (10, 2, …)" in notes[0]


def test_missing_preprocessing_shows_an_example_that_works(folder, gray):
    (folder / "preprocessing.json").unlink()
    with pytest.raises(DataError, match="is not known") as caught:
        open_data(DataRef(str(folder)), gray)
    example = caught.value.fix[caught.value.fix.index("{") : caught.value.fix.index("}") + 1]
    (folder / "preprocessing.json").write_text(example)
    assert len(open_data(DataRef(str(folder)), gray)) == 15


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"resize": [6, 8], "channels": "L"}, r"\(1, 1, 6, 8\).*Mend resize"),
        ({"resize": [8, 8]}, r"\(1, 3, 8, 8\)"),
        ({"resize": [8, 8], "colour": "L"}, "not a preprocessing file.*colour"),
        ({"resize": [8, 8], "channels": "L", "mean": [0, 0, 0]}, "3 values for 1 channels"),
        ({"resize": [8, 8], "channels": "L", "std": [0]}, "not a usable number"),
        ({"resize": [0, 8], "channels": "L"}, "out of range"),
    ],
)
def test_wrong_preprocessing(folder, gray, how, said):
    (folder / "preprocessing.json").write_text(json.dumps(how))
    with pytest.raises(DataError, match=said):
        open_data(DataRef(str(folder)), gray)


def test_bad_pictures_are_named(folder, gray, tmp_path):
    (folder / "boot" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    data = open_data(DataRef(str(folder)), gray)
    with pytest.raises(DataError, match=r"boot/0\.png: cannot be decoded"):
        data.inputs(0, 15)
    Image.new("1", (8_100, 8_100)).save(tmp_path / "large.png")
    with pytest.raises(DataError, match="too large"):
        prepared(tmp_path / "large.png", Preprocessing())


def test_resize_crop_layout_and_channel_order(tmp_path):
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[..., 0] = 255
    Image.fromarray(picture).save(tmp_path / "red.png")
    path = tmp_path / "red.png"
    whole = prepared(path, Preprocessing(resize=20))
    assert whole.shape == (3, 20, 40)
    assert whole[:, 5, 5].tolist() == [1, 0, 0]
    bgr = prepared(path, Preprocessing(resize=20, crop=(16, 18), channels="BGR", layout="NHWC"))
    assert bgr.shape == (16, 18, 3)
    assert bgr[0, 0].tolist() == [0, 0, 1]
    scaled = prepared(path, Preprocessing(scale=1, mean=(5, 0, 0), std=(2, 1, 1)))
    assert scaled[0, 0, 0] == 125


def test_folder_needs_a_single_input(folder, model):
    with pytest.raises(DataError, match="takes 2 inputs"):
        open_data(DataRef(str(folder)), model(a=("N", 3), b=("N", 2)))


def test_deep_pictures_keep_their_greys(tmp_path):
    how = Preprocessing(channels="L")
    steps = np.array([[0, 257, 32896, 65535]], np.uint16)
    Image.fromarray(steps).save(tmp_path / "deep.png")
    np.testing.assert_allclose(prepared(tmp_path / "deep.png", how)[0, 0] * 255, [0, 1, 128, 255], atol=1e-4)
    Image.fromarray(steps.astype(np.float32)).save(tmp_path / "float.tiff")
    with pytest.raises(DataError, match="32 bits"):
        prepared(tmp_path / "float.tiff", how)
