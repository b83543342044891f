from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.artifact import Artifact
from studio.data.datasets import open_data
from studio.data.reference import DataRef
from studio.errors import DataError, MeasureError
from studio.formats.onnx_in import open_model
from studio.measure.latency import Timing, latency, latency_pair
from studio.measure.outputs import OutputCache
from studio.measure.sessions import SessionSource, built, kernels, open_runner
from studio.measure.trial import made_up_for
from studio.processor import here
from studio.target import load, names

QUICK = Timing(runs=12, warm_up=1, memory=False)
SAMPLE = {"x": np.zeros((3, 1, 6, 6), np.float32)}


@pytest.mark.parametrize("batch", ["N", 1, 2, 7])
def test_any_number_of_samples_whatever_the_batch(net, tmp_path, batch):
    x = np.random.default_rng(0).normal(size=(9, 1, 6, 6)).astype(np.float32)
    wanted = open_runner(net.save(tmp_path / "a.onnx")).run({"x": x})[0]
    given = open_runner(net.save(tmp_path / "b.onnx", batch)).run({"x": x})[0]
    assert given.shape == (9, 4)
    np.testing.assert_allclose(given, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("batch", ["N", 4])
def test_any_number_of_lanes_gives_the_same(net, tmp_path, batch):
    source = net.save(tmp_path / "a.onnx", batch)
    x = np.random.default_rng(0).normal(size=(101, 1, 6, 6)).astype(np.float32)
    one, more = (open_runner(source, threads).run({"x": x})[0] for threads in (1, 3))
    np.testing.assert_array_equal(one, more)


def test_a_batch_is_run_whole_where_an_output_is_not_by_sample(tmp_path):
    nodes = [
        helper.make_node("Neg", ["x"], ["y"]),
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0], keepdims=1),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("y", "mean")]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])
    opset = [helper.make_opsetid("", 13)]
    graph = helper.make_graph(nodes, "mean", [given], ends)
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "mean.onnx")
    x = np.arange(80, dtype=np.float32).reshape(40, 2)
    runner = open_runner(SessionSource(str(tmp_path / "mean.onnx"), "k"), 2)
    for _ in range(2):
        negative, mean = runner.run({"x": x})
        np.testing.assert_array_equal(negative, -x)
        np.testing.assert_allclose(mean, [[39.0, 40.0]])


def test_failures_name_the_model(net, tmp_path):
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"not a model")
    with pytest.raises(MeasureError, match=r"bad\.onnx: onnxruntime could not open it"):
        open_runner(SessionSource(str(bad), "k"))
    with pytest.raises(MeasureError, match=r"the pruned one: onnxruntime could not open it"):
        open_runner(SessionSource(str(tmp_path / "none.onnx"), "k", "the pruned one"))
    runner = open_runner(net.save(tmp_path / "a.onnx"))
    with pytest.raises(MeasureError, match=r"a\.onnx: onnxruntime could not run it"):
        runner.run({"x": np.zeros((1, 2, 6, 6), np.float32)})
    with pytest.raises(MeasureError, match=r"a\.onnx: onnxruntime could not run it"):
        runner.run({"x": np.zeros((1, 1, 6, 6), np.float64)})
    with pytest.raises(MeasureError, match="input 'x' that the data does not give"):
        runner.run({"other": SAMPLE["x"]})


def test_kernels_are_those_of_the_optimized_graph(net, tmp_path):
    source = net.save(tmp_path / "a.onnx")
    assert "Relu" in {node.op_type for node in onnx.load(source.path).graph.node}
    found = kernels(source.path)
    assert found["Gemm"] == 1
    assert "Relu" not in found  # fused into the convolution


def test_latency(net, tmp_path):
    found = latency(net.save(tmp_path / "a.onnx", 2).path, SAMPLE, QUICK)
    assert 0 < found.p50 <= found.p90 <= found.p95 <= found.p99
    assert (found.runs, found.threads, found.source) == (12, 1, "measured here")
    assert found.load_ms > 0
    assert found.first_ms > 0


@pytest.mark.slow
def test_peak_memory_is_that_of_a_process_of_its_own(net, tmp_path):
    found = latency(net.save(tmp_path / "a.onnx").path, SAMPLE, Timing(runs=1, warm_up=0))
    assert 20e6 < found.peak_bytes < 400e6


def test_pair_in_turns(net, tmp_path):
    path = net.save(tmp_path / "a.onnx").path
    found = latency_pair(path, path, SAMPLE, QUICK)
    assert found.original.runs == found.optimized.runs == found.ratio.n == 12
    assert found.ratio.low <= found.ratio.value <= found.ratio.high


def test_latency_needs_a_sample(net, tmp_path):
    with pytest.raises(MeasureError, match="no sample"):
        latency(net.save(tmp_path / "a.onnx").path, {"x": SAMPLE["x"][:0]}, QUICK)


def test_cache_lets_the_longest_unused_go():
    cache, block = OutputCache(limit=2500), (np.zeros(250, np.float32),)
    cache.put("a", block)
    cache.put("b", block)
    assert cache.get("a") is block
    cache.put("c", block)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (block, None, block)
    cache.put("large", (np.zeros(9999, np.float32),))
    assert cache.get("large") is None


def test_nothing_is_printed(net, tmp_path, capfd):
    Path(tmp_path, "bad.onnx").write_bytes(b"x")
    with pytest.raises(MeasureError):
        open_runner(SessionSource(str(tmp_path / "bad.onnx"), "k"))
    open_runner(net.save(tmp_path / "a.onnx")).run(SAMPLE)
    assert capfd.readouterr() == ("", "")


def recurrent(path):
    """A padded (N, length) signal with a state (2, N, 3) and a rate without axes: as speech nets are."""
    nodes = [
        helper.make_node("Pad", ["x", "pads"], ["p"], mode="reflect"),
        helper.make_node("ReduceMean", ["p"], ["m"], axes=[1], keepdims=1),
        helper.make_node("ReduceSum", ["state", "axes"], ["s"], keepdims=0),
        helper.make_node("Add", ["m", "s"], ["a"]),
        helper.make_node("Add", ["a", "rate"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "length"]),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, [2, "N", 3]),
            helper.make_tensor_value_info("rate", TensorProto.FLOAT, []),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
        [
            numpy_helper.from_array(np.array([0, 64, 0, 64]), "pads"),
            numpy_helper.from_array(np.array([0]), "axes"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.slow
def test_noise_is_made_up_in_sizes_that_the_model_takes(tmp_path):
    model = open_model(recurrent(tmp_path / "m.onnx"))
    found = made_up_for(SessionSource(model.facts.path, "k"), model.facts, 4)
    assert {name: each.shape for name, each in found.items()} == {
        "x": (4, 512),
        "state": (2, 4, 3),
        "rate": (),
    }
    alone = made_up_for(SessionSource(model.facts.path, "k"), model.facts, 1)
    assert latency(model.facts.path, alone, QUICK).runs == 12


@pytest.mark.slow
def test_data_for_a_model_without_a_sample_axis_is_refused(tmp_path):
    model = open_model(recurrent(tmp_path / "m.onnx"))
    np.savez(
        tmp_path / "d.npz", x=np.zeros((4, 512), np.float32), state=np.zeros((4, 1, 3), np.float32), rate=0
    )
    with pytest.raises(DataError, match="no leading axis of samples"):
        open_data(DataRef(str(tmp_path / "d.npz")), model.facts)


def full_range_product(path: Path) -> Path:
    """A product of codes near the top of both ranges: pairs of them do not fit into 16 bits."""
    weight = np.full((64, 4), 127, np.int8)
    scales = {"xs": np.float32(1 / 255), "ws": np.float32(1 / 127), "ys": np.float32(64 / 255)}
    zeros = {"xz": np.uint8(0), "wz": np.int8(0), "yz": np.uint8(0)}
    constants = {"w": weight, **scales, **zeros}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
        helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wd"]),
        helper.make_node("MatMul", ["xd", "wd"], ["m"]),
        helper.make_node("QuantizeLinear", ["m", "ys", "yz"], ["mq"]),
        helper.make_node("DequantizeLinear", ["mq", "ys", "yz"], ["y"]),
    ]
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])]
    wanted = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])]
    arrays = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", given, wanted, arrays)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def test_spelled_out_sums_never_overflow(tmp_path):
    path = full_range_product(tmp_path / "full.onnx")
    x = np.ones((8, 64), np.float32)
    source = SessionSource(str(path), "k", spelled_out=True)
    np.testing.assert_allclose(open_runner(source).run({"x": x})[0], 64.0, rtol=1e-3)


@pytest.mark.skipif(not here().saturates, reason="this processor adds products in 32 bits")
def test_its_own_kernels_would_overflow(tmp_path):
    path = full_range_product(tmp_path / "full.onnx")
    found = open_runner(SessionSource(str(path), "k")).run({"x": np.ones((8, 64), np.float32)})[0]
    assert found.max() < 60


@pytest.mark.parametrize("target", names())
def test_built_files_run_as_on_their_target(tmp_path, target):
    artifact = Artifact("/a.onnx", "s" * 64, 1, "{}", target, "k" * 64, "", (), 0.0)
    source = built(artifact)
    assert source.spelled_out == (here().saturates and not load(target).reduce_range)
    assert (source.way == "") == (not source.spelled_out)
