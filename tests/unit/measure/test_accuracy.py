from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from studio.control import Cancelled, Control
from studio.errors import DataError, MeasureError
from studio.measure.accuracy import Effort, batches, compare, evaluate
from studio.measure.outputs import OutputCache
from studio.measure.sessions import SessionSource
from studio.metrics import HERE, Comparison


def answers(source: SessionSource, x: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(source.path, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0].argmax(axis=1)


def test_comparison_equals_a_count_by_hand(net, make_data, tmp_path):
    original, changed = net.save(tmp_path / "a.onnx"), net.noisy(0.8).save(tmp_path / "b.onnx")
    data = make_data(300, original)
    seen: list[Comparison] = []
    found = compare(original, changed, data, Control(), seen.append)
    x, y = data.inputs(0, 300)["x"], data.labels(0, 300)
    before, after = answers(original, x), answers(changed, x)
    assert found.metric == "top-1"
    assert found.original.value == pytest.approx(100 * (before == y).mean())
    assert found.optimized.value == pytest.approx(100 * (after == y).mean())
    assert found.difference.value == pytest.approx(100 * ((after == y).mean() - (before == y).mean()))
    assert found.flip_count == (before != after).sum() == len(found.flips) > 0
    assert [flip.sample for flip in found.flips] == np.flatnonzero(before != after).tolist()
    assert all(flip.label == y[flip.sample] for flip in found.flips)
    assert (found.original.n, found.original.source, found.original.unit) == (300, HERE, "%")


def test_streams_small_batch_first_and_only_the_last_is_final(net, make_data, tmp_path):
    original = net.save(tmp_path / "a.onnx")
    seen: list[Comparison] = []
    found = compare(
        original, net.noisy(0.5).save(tmp_path / "b.onnx"), make_data(300), Control(), seen.append
    )
    assert [each.optimized.n for each in seen] == [32, 96, 224, 300]
    assert [each.difference.final for each in seen] == [False, False, False, True]
    assert seen[-1] == found


def test_without_labels_the_original_is_right_by_definition(net, make_data, tmp_path):
    original, changed = net.save(tmp_path / "a.onnx"), net.noisy(0.8).save(tmp_path / "b.onnx")
    data = make_data(200)
    found = compare(original, changed, data, Control(), lambda _: None)
    x = data.inputs(0, 200)["x"]
    agreement = 100 * (answers(original, x) == answers(changed, x)).mean()
    assert found.metric == "agreement"
    assert (found.original.value, found.original.low, found.original.high) == (100, 100, 100)
    assert found.optimized.value == pytest.approx(agreement)
    assert found.difference.value == pytest.approx(agreement - 100)
    assert found.sqnr_db is not None
    assert 0 < found.sqnr_db < 40


def test_a_model_against_itself_changes_nothing(net, make_data, tmp_path):
    original = net.save(tmp_path / "a.onnx")
    found = compare(original, original, make_data(100, original), Control(), lambda _: None)
    assert found.difference.value == 0
    assert found.difference.low <= 0 <= found.difference.high
    assert (found.flips, found.flip_count, found.sqnr_db) == ((), 0, None)


def test_original_outputs_come_from_the_cache(net, make_data, tmp_path):
    original, data = net.save(tmp_path / "a.onnx"), make_data(100)
    cache, changed = OutputCache(), net.noisy(0.8).save(tmp_path / "b.onnx")
    first = compare(original, changed, data, Control(), lambda _: None, cache=cache)
    Path(original.path).unlink()  # were the original opened again, this would show
    assert compare(original, changed, data, Control(), lambda _: None, cache=cache) == first


def test_outputs_of_the_two_ways_of_running_are_kept_apart(net, make_data, tmp_path):
    original, same = net.save(tmp_path / "a.onnx"), net.save(tmp_path / "b.onnx")
    data, cache = make_data(100), OutputCache()
    compare(original, same, data, Control(), lambda _: None, cache=cache)
    Path(original.path).unlink()
    with pytest.raises(MeasureError, match=r"a\.onnx"):
        compare(replace(original, spelled_out=True), same, data, Control(), lambda _: None, cache=cache)


def test_cancel_between_batches(net, make_data, tmp_path):
    original, control, seen = net.save(tmp_path / "a.onnx"), Control(), []

    def emit(comparison: Comparison) -> None:
        seen.append(comparison)
        control.cancel()

    with pytest.raises(Cancelled):
        compare(original, original, make_data(300), control, emit)
    assert len(seen) == 1


def test_stops_early_once_the_interval_is_tight(net, make_data, tmp_path):
    original = net.save(tmp_path / "a.onnx")
    found = compare(original, original, make_data(2000), Control(), lambda _: None, Effort(tight=3.0))
    assert found.difference.final
    assert 96 <= found.difference.n < 2000
    assert found.difference.high - found.difference.value <= 3.0


@pytest.mark.parametrize("batch", [1, 5])
def test_fixed_batches_give_what_free_ones_give(net, make_data, tmp_path, batch):
    free, fixed = net.save(tmp_path / "a.onnx"), net.save(tmp_path / "b.onnx", batch)
    found = compare(free, fixed, make_data(98), Control(), lambda _: None)
    assert found.optimized.value == 100
    assert found.optimized.n == 98


def test_limit(net, make_data, tmp_path):
    original = net.save(tmp_path / "a.onnx")
    data = make_data(300, original)
    found = evaluate(original, data, Control(), effort=Effort(limit=50))
    assert found.original.n == 50
    x, y = data.inputs(0, 50)["x"], data.labels(0, 50)
    assert found.original.value == pytest.approx(100 * (answers(original, x) == y).mean())


def test_evaluate_needs_labels(net, make_data, tmp_path):
    with pytest.raises(MeasureError, match="needs labels"):
        evaluate(net.save(tmp_path / "a.onnx"), make_data(10), Control())


def test_labels_beyond_the_models_classes_are_an_error(net, make_data, tmp_path):
    original = net.save(tmp_path / "a.onnx")
    data = make_data(40, original)
    data._labels = data._labels * 0 + 5
    with pytest.raises(DataError, match="label 5 is out of range: the model tells 4 classes apart"):
        evaluate(original, data, Control())


def test_other_output_shape_is_an_error(net, make_data, tmp_path):
    from dataclasses import replace

    other = replace(net, dense=net.dense[:3]).save(tmp_path / "b.onnx")
    with pytest.raises(MeasureError, match=r"b\.onnx.*differs in shape"):
        compare(net.save(tmp_path / "a.onnx"), other, make_data(10), Control(), lambda _: None)


def test_not_a_number_is_never_right(net, make_data, tmp_path):
    from dataclasses import replace

    broken = replace(net, dense=net.dense * np.float32("nan")).save(tmp_path / "b.onnx")
    original = net.save(tmp_path / "a.onnx")
    for teacher in (None, original):
        found = compare(original, broken, make_data(50, teacher), Control(), lambda _: None)
        assert found.optimized.value == 0
        assert found.sqnr_db is None
        assert found.flips[0].after == -1


def regression(path: Path, factor: float) -> SessionSource:
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[1, 2], keepdims=0),
        helper.make_node("Mul", ["m", "f"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "r",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 6])],
        [helper.make_tensor("f", TensorProto.FLOAT, [], [factor])],
    )
    graph.node.extend([helper.make_node("Unsqueeze", ["y", "axis"], ["z"])])
    graph.initializer.append(helper.make_tensor("axis", TensorProto.INT64, [1], [1]))
    graph.output[0].CopyFrom(helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", 1, 6]))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return SessionSource(str(path), str(factor))


@pytest.mark.slow
def test_outputs_that_are_no_scores_are_matched_not_ranked(net, make_data, tmp_path):
    original, changed = regression(tmp_path / "a.onnx", 1.0), regression(tmp_path / "b.onnx", 0.9)
    found = compare(original, changed, make_data(100), Control(), lambda _: None)
    assert found.metric == "output match"
    assert found.optimized.value == pytest.approx(90, abs=0.01)
    assert found.sqnr_db == pytest.approx(20, abs=0.01)
    with pytest.raises(MeasureError, match="no class scores"):
        compare(original, changed, make_data(10, net.save(tmp_path / "t.onnx")), Control(), lambda _: None)


def test_batches_cover_everything_once(make_data):
    data = make_data(1000)
    ranges = list(batches(data, 1000))
    assert ranges[0] == (0, 32)
    assert [start for start, _ in ranges[1:]] == [stop for _, stop in ranges[:-1]]
    assert ranges[-1][1] == 1000
