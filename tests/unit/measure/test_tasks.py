"""Every kind of truth has its metric; figures are those of a count by hand."""

from __future__ import annotations

from contextlib import closing
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.control import Control
from studio.data.reference import DataRef
from studio.errors import DataError, MeasureError
from studio.measure.choose import metric_for
from studio.measure.segments import IGNORED
from studio.metrics import Comparison
from studio.recipe.settings import Recipe, Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

Array = np.ndarray[Any, np.dtype[Any]]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


def told(before: Array, after: Array, labels: Array | None) -> Comparison:
    """The comparison over two batches."""
    metric = metric_for((before,), labels, "model")
    for part in (slice(0, 3), slice(3, None)):
        metric.add((before[part],), (after[part],), None if labels is None else labels[part])
    return metric.comparison(True)


def test_regression_tells_explained_variance_mae_and_rmse(random: np.random.Generator) -> None:
    targets = random.normal(0, 2, (200, 3))
    found = told(targets + 0.5, targets - 1.0, targets)
    assert found.metric == "variance explained"
    variance = targets.var(axis=0).mean()
    assert found.original.value == pytest.approx(100 * (1 - 0.25 / variance))
    assert found.difference.value == pytest.approx(-75 / variance)
    assert [(each.name, each.original, each.optimized) for each in found.details] == [
        ("MAE", pytest.approx(0.5), pytest.approx(1.0)),
        ("RMSE", pytest.approx(0.5), pytest.approx(1.0)),
    ]


def test_targets_far_apart_do_not_explain_each_other(random: np.random.Generator) -> None:
    targets = random.normal(0, 1, (200, 2)) + np.array([0.0, 1000.0])
    blind = np.broadcast_to(targets.mean(axis=0), targets.shape)
    found = told(targets, blind, targets)
    assert (found.original.value, found.optimized.value) == (100.0, pytest.approx(0.0, abs=1e-9))


def test_the_paired_interval_of_a_regression_covers_the_truth(random: np.random.Generator) -> None:
    hits = 0
    for _ in range(200):
        targets = random.normal(0, 1, (60, 1))
        before, after = targets + random.normal(0, 0.3, (60, 1)), targets + random.normal(0, 0.4, (60, 1))
        figure = told(before, after, targets).difference
        assert figure.low is not None
        assert figure.high is not None
        hits += figure.low <= -7.0 / targets.var() <= figure.high
    assert hits > 180


@pytest.mark.parametrize("mark", [IGNORED, -1])
@pytest.mark.parametrize("last", [False, True])
def test_mean_iou_is_that_of_a_count_by_hand_and_leaves_marked_pixels_out(last: bool, mark: int) -> None:
    truth = np.array([[[0, 0], [1, mark]]] * 4)
    scores = np.eye(3)[np.array([[[0, 1], [1, 2]]] * 4)]
    perfect = np.eye(3)[np.where(truth == mark, 0, truth)]
    found = told(*(each if last else np.moveaxis(each, -1, 1) for each in (perfect, scores)), truth)
    assert found.metric == "mean IoU"
    assert found.original.value == 100
    assert found.optimized.value == pytest.approx(50)  # class 0: 1 of 2, class 1: 1 of 2, class 2: nowhere
    assert found.difference.value == pytest.approx(-50)
    assert found.difference.low == found.difference.high == pytest.approx(-50)  # all pictures are alike


def test_perplexity_of_even_odds_is_the_number_of_tokens() -> None:
    tokens = np.array([[1, 2, -1]] * 5)
    even, sure = np.zeros((5, 3, 8)), 20 * np.eye(8)[np.maximum(tokens, 0)]
    found = told(sure, even, tokens)
    assert found.metric == "perplexity"
    assert found.original.value == pytest.approx(1.0)
    assert found.optimized.value == pytest.approx(8.0)
    assert found.difference.value == pytest.approx(-700, rel=1e-4)
    assert told(even, sure, tokens).difference.value > 0


def test_without_labels_divergence_and_agreement_are_told() -> None:
    before, after = np.log([[0.9, 0.1]] * 6), np.log([[0.6, 0.4]] * 6)
    found = told(before, after, None)
    assert (found.metric, found.optimized.value) == ("agreement", 100)
    (detail,) = found.details
    wanted = 0.9 * log(0.9 / 0.6) + 0.1 * log(0.1 / 0.4)
    assert (detail.name, detail.unit, detail.optimized) == ("KL divergence", "nats", pytest.approx(wanted))
    assert told(before, before, None).details[0].optimized == 0
    assert told(np.exp(before), np.exp(after), None).details[0].optimized == pytest.approx(wanted)


def test_labels_that_do_not_fit_are_named() -> None:
    with pytest.raises(MeasureError, match="no class scores"):
        metric_for((np.zeros((4, 10)),), np.zeros(4, np.float32), "model")
    with pytest.raises(MeasureError, match="no class scores"):
        metric_for((np.zeros((4, 3, 8, 8)),), np.zeros((4, 9, 9), np.int64), "model")
    with pytest.raises(DataError, match="out of range"):
        told(np.zeros((4, 3, 2, 2)), np.zeros((4, 3, 2, 2)), np.full((4, 2, 2), 7))
    with pytest.raises(DataError, match="out of range"):
        told(np.zeros((4, 3, 5)), np.zeros((4, 3, 5)), np.full((4, 3), 9))


@pytest.mark.slow
def test_a_segmenting_net_is_compressed_and_measured(tmp_path: Path, random: np.random.Generator) -> None:
    weight = random.normal(0, 0.5, (4, 3, 3, 3)).astype(np.float32)
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv", pads=[1] * 4)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, 8, 8])
        for name, channels in (("x", 3), ("y", 4))
    ]
    graph = helper.make_graph([node], "net", ends[:1], ends[1:], [numpy_helper.from_array(weight, "w")])
    path, data = tmp_path / "net.onnx", tmp_path / "data.npz"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    x, y = random.normal(0, 1, (40, 3, 8, 8)).astype(np.float32), random.integers(0, 4, (40, 8, 8))
    np.savez(data, x=x, y=y)
    with closing(Session(LocalWorkbench(tmp_path / "made", threads=1))) as session:
        session.open(path, Control())
        session.attach_data(DataRef(str(data)), Control())
        session.apply_recipe(Recipe(default=Settings(bits=2), repair=()))
        found = session.measure(Control()).value.comparison
        assert found is not None
        assert (found.metric, found.difference.n) == ("mean IoU", 40)
        assert session.evaluate(Control()).value.metric == "mean IoU"
