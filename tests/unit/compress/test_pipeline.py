"""Whole builds: what onnxruntime runs, what the file weighs, and that nothing is left to chance."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from studio.compress.pipeline import build
from studio.compress.write.halves import sixteen_bits
from studio.control import Cancelled, Control
from studio.errors import BuildError
from studio.graph.model import Model
from studio.graph.onnx_edge import facts_of, from_proto, serialize
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Rule, Settings
from studio.target import OpRule, load

from .conftest import (
    HERE,
    Builder,
    Net,
    Samples,
    inputs_of,
    kernels,
    residual_net,
    run,
    session,
    spread_net,
    sqnr,
)

FLOAT_OPS = ("Conv", "FusedConv", "Gemm", "Add", "Relu", "Clip")


def test_int8_is_fused_from_end_to_end(make: Builder, tmp_path: Path) -> None:
    model = residual_net().model("head")
    artifact = make(model, Recipe(target=HERE, default=Settings(bits=8)))
    found = kernels(artifact.path, tmp_path)
    assert not any(found[op] for op in FLOAT_OPS)
    assert (found["QLinearConv"], found["QLinearAdd"], found["QGemm"]) == (7, 2, 1)
    assert found["QuantizeLinear"] == 1
    x = inputs_of(model, seed=9)
    assert sqnr(run(serialize(model.ir), x), run(artifact.path, x)) > 25


@pytest.mark.parametrize("bits", range(7, 0, -1))
def test_every_width_runs_on_the_same_kernels(make: Builder, tmp_path: Path, bits: int) -> None:
    artifact = make(residual_net(8).model("head"), Recipe(default=Settings(bits=bits, storage="packed")))
    found = kernels(artifact.path, tmp_path)
    assert found["QLinearConv"] == 7
    assert not any(found[op] for op in (*FLOAT_OPS, "BitShift", "MatMulInteger", "Gather", "Cast"))
    assert {outcome.storage for outcome in artifact.layers} == {"packed"}


def test_every_stop_shrinks_the_file(make: Builder) -> None:
    model = residual_net(64).model("head")
    cache: dict[str, object] = {}
    stops = (32, 16, 8, 7, 6, 5, 4, 3, 2, 1)
    sizes = [make(model, Recipe(default=Settings(bits=bits), repair=()), cache=cache).bytes for bits in stops]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)
    assert sizes[2] < 0.3 * sizes[0]


@pytest.mark.slow
def test_what_was_built_before_has_no_say(make: Builder) -> None:
    model = residual_net(64).model("head")
    cache: dict[str, object] = {}
    draft = make(model, Recipe(default=Settings(bits=4), repair=("equalize", "bias")), cache=cache)
    fresh = make(model, Recipe(default=Settings(bits=4)))
    assert make(model, Recipe(default=Settings(bits=4)), cache=cache).sha256 == fresh.sha256
    assert draft.sha256 != fresh.sha256


def test_float16_and_weights_only_fold_to_plain_floats(make: Builder, tmp_path: Path) -> None:
    model = residual_net().model("head")
    x = inputs_of(model)
    reference = run(serialize(model.ir), x)
    for settings, least in ((Settings(bits=16), 50), (Settings(bits=4, activations=32), 8)):
        artifact = make(model, Recipe(default=settings), data=None)
        found = kernels(artifact.path, tmp_path)
        assert not any(found[op] for op in ("Cast", "Mul", "DequantizeLinear", "QLinearConv"))
        assert sqnr(reference, run(artifact.path, x)) > least


def test_float_islands_stay_float(make: Builder, tmp_path: Path) -> None:
    recipe = Recipe(
        default=Settings(bits=8), rules=(Rule("conv2", Settings(bits=32)), Rule("head", Settings(bits=16)))
    )
    artifact = make(residual_net().model("head"), recipe)
    found = kernels(artifact.path, tmp_path)
    assert found["QLinearConv"] == 6
    assert found["Conv"] + found["FusedConv"] == 1
    assert found["Gemm"] == 1
    assert {outcome.layer: outcome.bits for outcome in artifact.layers}["conv2"] == 32


def test_pools_concats_and_reshapes_stay_on_codes(make: Builder, tmp_path: Path) -> None:
    net = Net("N", 4, 16, 16)
    stem = net.op("Relu", [net.conv("x", "stem", (4, 16))], "relu")
    pooled = net.op("MaxPool", [stem], "pooled", kernel_shape=[2, 2], strides=[2, 2])
    joined = net.op(
        "Concat", [net.conv(pooled, "a", (16, 8)), net.conv(pooled, "b", (16, 8), 1)], "joined", axis=1
    )
    turned = net.op("Transpose", [net.conv(joined, "c", (16, 4))], "turned", perm=[0, 2, 3, 1])
    shape = net.array("shape", np.array([0, 256], np.int64))
    net.dense(net.op("Reshape", [turned, shape], "flat"), "head", 256, 10)
    found = kernels(make(net.model("head"), Recipe(default=Settings(bits=8))).path, tmp_path)
    assert (found["QLinearConv"], found["QLinearConcat"], found["QGemm"]) == (4, 1, 1)
    assert found["DequantizeLinear"] == 0


def test_matrix_products_of_transformers_run_on_integers(make: Builder, tmp_path: Path) -> None:
    net = Net("N", 6, 32)
    weight = net.array("w", net.random.normal(size=(32, 32)).astype(np.float32))
    hidden = net.op("Softmax", [net.op("MatMul", ["x", weight], "projected")], "soft")
    second = net.array("w2", net.random.normal(size=(32, 8)).astype(np.float32))
    net.op("MatMul", [hidden, second], "y")
    model = net.model("y")
    artifact = make(model, Recipe(target=HERE, default=Settings(bits=8)))
    assert kernels(artifact.path, tmp_path)["MatMulIntegerToFloat"] == 2
    assert sqnr(run(serialize(model.ir), inputs_of(model)), run(artifact.path, inputs_of(model))) > 20


def test_layers_and_tensors_keep_their_names(make: Builder) -> None:
    model = residual_net().model("head")
    graph = onnx.load(make(model, Recipe(default=Settings(bits=8))).path).graph
    assert {layer.name for layer in model.facts.layers} <= {node.name for node in graph.node}
    tensors = {name for node in graph.node for name in node.output}
    assert {"stem_out", "relu1", "bn2", "block1", "clip1", "clip2", "project", "head"} <= tensors


def test_a_coded_tensor_can_be_an_output(make: Builder) -> None:
    net = Net("N", 3, 8, 8)
    net.conv(net.op("Relu", [net.conv("x", "a", (3, 8))], "middle"), "y", (8, 4))
    model = net.model("y", "middle")
    artifact = make(model, Recipe(default=Settings(bits=8)))
    opened = session(artifact.path)
    assert [output.name for output in opened.get_outputs()] == ["y", "middle"]
    onnx.checker.check_model(onnx.load(artifact.path), full_check=True)


@pytest.mark.slow
def test_outcomes_weigh_what_the_file_holds(make: Builder) -> None:
    artifact = make(residual_net(32).model("head"), Recipe(default=Settings(bits=4)))
    weighed = sum(outcome.bytes for outcome in artifact.layers)
    assert artifact.bytes == Path(artifact.path).stat().st_size
    assert 0.75 * artifact.bytes < weighed <= artifact.bytes
    assert artifact.sha256 == hashlib.sha256(Path(artifact.path).read_bytes()).hexdigest()


@pytest.mark.slow
def test_sparse_weights_are_zero_in_the_file_and_smaller(make: Builder) -> None:
    model = residual_net(32).model("head")
    plain, sparse = (
        make(model, Recipe(default=Settings(bits=8, sparsity=share, structure="unstructured")))
        for share in (0, 0.7)
    )
    assert sparse.bytes < 0.7 * plain.bytes
    assert all(
        outcome.sparsity == pytest.approx(0.7, abs=0.01) for outcome in sparse.layers if outcome.bytes > 2000
    )
    assert "masked" in {outcome.storage for outcome in sparse.layers}


@pytest.mark.slow
def test_pruned_channels_are_really_gone(make: Builder) -> None:
    model = residual_net(32).model("head")
    artifact = make(model, Recipe(default=Settings(bits=8, sparsity=0.5)))
    proto = onnx.load(artifact.path)
    facts = facts_of(from_proto(proto), path="", format="onnx", file_bytes=0)
    assert (facts.macs or 0) < 0.5 * (model.facts.macs or 0)
    assert run(artifact.path, inputs_of(model)).shape == (32, 10)


@pytest.mark.slow
def test_the_model_is_never_changed(make: Builder) -> None:
    model = residual_net().model("head")
    before = serialize(model.ir)
    make(model, Recipe(default=Settings(bits=4, sparsity=0.3)))
    assert serialize(model.ir) == before


def test_a_plan_without_wishes_is_the_model_itself(make: Builder) -> None:
    model = residual_net().model("head")
    assert Path(make(model, Recipe(), data=None).path).read_bytes() == serialize(model.ir)


@pytest.mark.slow
def test_the_cache_changes_nothing(make: Builder) -> None:
    model = spread_net().model("head")
    cache: dict[str, object] = {}
    wishes = [
        Settings(bits=8),
        Settings(bits=4),
        Settings(bits=8, sparsity=0.5),
        Settings(bits=6, sparsity=0.5),
    ]
    first = [make(model, Recipe(default=wish), cache=cache).sha256 for wish in (*wishes, *wishes)]
    assert first[:4] == first[4:]
    assert first[:4] == [make(model, Recipe(default=wish)).sha256 for wish in wishes]


SCRIPT = """
import sys, numpy as np, onnx
from pathlib import Path
from studio.compress.pipeline import build
from studio.control import Control
from studio.graph.model import Model
from studio.graph.onnx_edge import facts_of, from_proto
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Settings
from studio.target import load

class Samples:
    key = "noise"
    def batches(self):
        yield {"x": np.load(sys.argv[2])}

graph = from_proto(onnx.load(sys.argv[1]))
facts = facts_of(graph, path="", format="onnx", file_bytes=0)
target = load("onnxruntime-cpu")
plan = resolve(Recipe(default=Settings(bits=4, sparsity=0.25)), facts, target, True)
print(build(Model(facts, graph), plan, target, Samples(), Path(sys.argv[3]), Control(), {}).sha256)
"""


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(make: Builder, tmp_path: Path) -> None:
    net = residual_net()
    (tmp_path / "net.onnx").write_bytes(net.proto("head").SerializeToString())
    model = net.model("head")
    np.save(tmp_path / "x.npy", inputs_of(model))
    arguments = [tmp_path / "net.onnx", tmp_path / "x.npy", tmp_path / "other"]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout.strip() == make(model, Recipe(default=Settings(bits=4, sparsity=0.25))).sha256


def test_a_failure_names_the_pass_and_leaves_no_file(make: Builder, tmp_path: Path) -> None:
    model = residual_net().model("head")
    bad = Samples("bad", x=np.full((4, 4, 16, 16), np.nan, np.float32))
    with pytest.raises(BuildError, match=r"calibrate failed on tensor .*after fold"):
        make(model, Recipe(default=Settings(bits=8)), data=bad)
    wrong = Samples("wrong", x=np.zeros((4, 5), np.float32))
    with pytest.raises(BuildError, match="calibration data"):
        make(model, Recipe(default=Settings(bits=8)), data=wrong)
    assert not list(tmp_path.rglob("*.onnx"))


def test_a_cancelled_build_leaves_no_file(tmp_path: Path) -> None:
    model = residual_net().model("head")
    target = load("onnxruntime-cpu")
    plan = resolve(Recipe(default=Settings(bits=8)), model.facts, target, True)
    control = Control(lambda fraction, _: control.cancel() if fraction > 0.5 else None)
    with pytest.raises(Cancelled):
        build(model, plan, target, Samples("noise", x=inputs_of(model)), tmp_path / "out", control, {})
    assert not (tmp_path / "out").exists()


def test_a_target_can_keep_an_op_in_float(make: Builder, tmp_path: Path) -> None:
    rules = {"Add": OpRule()}
    artifact = make(residual_net().model("head"), Recipe(default=Settings(bits=8)), rules=rules)
    assert run(artifact.path, np.zeros((1, 4, 16, 16), np.float32)).shape == (1, 10)
    assert kernels(artifact.path, tmp_path)["QLinearConv"] == 7


@pytest.mark.slow
def test_code_books_run_on_the_same_kernels(make: Builder, tmp_path: Path) -> None:
    model = residual_net(32).model("head")
    for storage, bits in (("codebook", 4), ("codebook", 3), ("packed", 4)):
        artifact = make(model, Recipe(default=Settings(bits=bits, storage=storage)))  # type: ignore[arg-type]  # literals
        assert {outcome.storage for outcome in artifact.layers} == {storage}
        assert kernels(artifact.path, tmp_path)["QLinearConv"] == 7


def test_a_storage_that_cannot_be_had_is_refused(make: Builder) -> None:
    artifact = make(residual_net().model("head"), Recipe(default=Settings(bits=8, storage="packed")))
    assert {outcome.storage for outcome in artifact.layers} == {"dense"}
    assert all(outcome.refused[0].setting == "storage" for outcome in artifact.layers)


@pytest.mark.parametrize("size", [1e5, 1e-8])
def test_weights_that_float16_cannot_hold_become_bfloat16(make: Builder, size: float) -> None:
    net = Net("N", 4)
    net.op("Gemm", ["x", net.array("w", np.full((4, 2), size, np.float32))], "y")
    artifact = make(net.model("y"), Recipe(default=Settings(bits=16)))
    outcome = artifact.layers[0]
    assert (outcome.bits, outcome.refused[0].reason) == (16, "it has weights that float16 cannot hold")
    np.testing.assert_allclose(run(artifact.path, np.ones((1, 4), np.float32)), 4 * size, rtol=2**-8)


@pytest.mark.parametrize("sparsity", [0.0, 0.9])
def test_int16_folds_to_the_floats_that_were_meant_bit_for_bit(
    make: Builder, tmp_path: Path, sparsity: float
) -> None:
    net = Net("N", 24)
    weight = net.random.normal(size=(24, 40)).astype(np.float32) * np.exp2(np.arange(40) - 20)
    weight[np.abs(weight) < sparsity * np.abs(weight).max(axis=0)] = 0
    weight[:, 3] = 0
    net.op("MatMul", ["x", net.array("w", weight.astype(np.float32))], "y")
    artifact = make(net.model("y"), Recipe(default=Settings(bits=16, half="int16")))
    assert artifact.layers[0].storage == ("masked" if sparsity else "dense")
    session(artifact.path, tmp_path / "loaded.onnx")
    loaded = onnx.load(tmp_path / "loaded.onnx").graph
    assert [node.op_type for node in loaded.node] == ["MatMul"]
    codes, scale = sixteen_bits(weight.astype(np.float32), 1)
    folded = numpy_helper.to_array(next(each for each in loaded.initializer if len(each.dims) == 2))
    np.testing.assert_array_equal(folded, codes.astype(np.float32) * scale)
    assert (np.abs(folded - weight) <= 2.0**-16 * np.abs(weight).max(axis=0) * 1.001).all()


def test_int16_takes_half_the_bytes_of_float_and_less_noise_than_float16(
    make: Builder, tmp_path: Path
) -> None:
    model = residual_net(32).model("head")
    plain, half, whole = (
        make(model, Recipe(default=wish))
        for wish in (Settings(bits=32), Settings(bits=16), Settings(bits=16, half="int16"))
    )
    found = kernels(whole.path, tmp_path)
    assert not any(found[op] for op in ("Cast", "Mul", "DequantizeLinear"))
    assert whole.bytes < 0.6 * plain.bytes
    x = inputs_of(model, seed=9)
    noise = [sqnr(run(plain.path, x), run(each.path, x)) for each in (half, whole)]
    assert noise[1] > noise[0] + 6


@pytest.mark.slow
@pytest.mark.parametrize("sparsity", [0.0, 0.9])
def test_bfloat16_takes_half_the_bytes_and_folds_to_plain_floats(
    make: Builder, tmp_path: Path, sparsity: float
) -> None:
    model = residual_net(32).model("head")
    wish = Settings(bits=16, half="bfloat16", sparsity=sparsity, structure="unstructured")
    artifact = make(model, Recipe(default=wish))
    found = kernels(artifact.path, tmp_path)
    assert not any(found[op] for op in ("Cast", "Gather", "CumSum"))
    full = make(model, Recipe(default=Settings(sparsity=sparsity, structure="unstructured")))
    assert artifact.bytes < 0.75 * full.bytes
    x = inputs_of(model, seed=9)
    assert sqnr(run(full.path, x), run(artifact.path, x)) > 35


def test_gemm_factors_and_empty_biases_do_not_stop_fusing(make: Builder, tmp_path: Path) -> None:
    net = Net("N", 16)
    weight = net.array("w", net.random.normal(size=(16, 12)).astype(np.float32))
    bias = net.array("b", net.random.normal(size=12).astype(np.float32))
    first = net.op("Gemm", ["x", weight, bias], "first", alpha=0.5, beta=2.0)
    second = net.array("w2", net.random.normal(size=(12, 6)).astype(np.float32))
    net.op("Gemm", [net.op("Relu", [first], "r"), second, net.array("zero", np.zeros(6, np.float32))], "y")
    model = net.model("y")
    artifact = make(model, Recipe(target=HERE, default=Settings(bits=8), repair=()))
    assert kernels(artifact.path, tmp_path)["QGemm"] == 2
    assert sqnr(run(serialize(model.ir), inputs_of(model)), run(artifact.path, inputs_of(model))) > 25


def test_layers_that_share_a_weight_share_it_in_the_file(make: Builder) -> None:
    net = Net("N", 64)
    weight = net.array("w", net.random.normal(size=(64, 64)).astype(np.float32))
    net.op("MatMul", [net.op("Tanh", [net.op("MatMul", ["x", weight], "one")], "t"), weight], "y")
    artifact = make(net.model("y"), Recipe(default=Settings(bits=8)))
    assert artifact.bytes < 64 * 64 + 2000
    assert [outcome.bytes > 4096 for outcome in artifact.layers] == [True, False]


def test_a_target_can_keep_narrow_stems_in_float(make: Builder, tmp_path: Path) -> None:
    rule = load("onnxruntime-cpu").rule("Conv")
    rules = {"Conv": OpRule(rule.bits, rule.activations, int8_channels=5)}
    artifact = make(residual_net().model("head"), Recipe(default=Settings(bits=8)), rules=rules)
    assert {outcome.layer: outcome.activations for outcome in artifact.layers}["stem"] == 32
    assert kernels(artifact.path, tmp_path)["QLinearConv"] == 6


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_without_vnni_a_narrow_stem_in_front_of_a_pool_runs_on_integers(make: Builder, op: str) -> None:
    net = Net("N", 1, 8, 8)
    stem = net.op("Relu", [net.conv("x", "stem", (1, 8))], "relu")
    pool = net.op(op, [stem], "pool", kernel_shape=[2, 2], strides=[2, 2])
    model = net.model(net.conv(pool, "second", (8, 8)))
    artifact = make(model, Recipe(default=Settings(bits=8), target="onnxruntime-cpu-x86-avx2"))
    assert [each.activations for each in artifact.layers] == [8 if op == "MaxPool" else 32, 8]


def test_reduced_range_keeps_weights_in_seven_bits(make: Builder) -> None:
    recipe = Recipe(default=Settings(bits=8), target="onnxruntime-cpu-x86-avx2")
    proto = onnx.load(make(residual_net().model("head"), recipe).path)
    weights = [onnx.numpy_helper.to_array(each) for each in proto.graph.initializer if each.data_type == 3]
    pairs = [each for each in weights if each.ndim < 4 or each.shape[1] > 1]  # depth-wise sums have 32 bits
    assert max(int(np.abs(each.astype(int)).max()) for each in pairs) == 63


@pytest.mark.slow
@pytest.mark.parametrize("method", ["minmax", "average", "percentile", "entropy", "mse"])
def test_every_calibration_method_gives_a_working_file(make: Builder, method: str) -> None:
    model = residual_net().model("head")
    recipe = Recipe(target=HERE, default=Settings(bits=8), calibration=method)  # type: ignore[arg-type]  # one of the literals
    artifact = make(model, recipe)
    assert sqnr(run(serialize(model.ir), inputs_of(model)), run(artifact.path, inputs_of(model))) > 20


def test_a_float16_model_is_widened_to_be_narrowed_and_pruned_by_its_weights_alone(tmp_path: Path) -> None:
    net = Net("N", 3, 8, 8)
    net.conv(net.conv("x", "b", (3, 32)), "c", (32, 4))
    proto = net.proto("c")
    for tensor in proto.graph.initializer:
        half = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, tensor.name))
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    ir_model = from_proto(proto)
    model = Model(facts_of(ir_model, path="m.onnx", format="onnx", file_bytes=1), ir_model)
    target, samples = load("onnxruntime-cpu"), Samples("k", x=np.zeros((4, 3, 8, 8), np.float16))
    plan = resolve(Recipe(default=Settings(bits=8)), model.facts, target, True)
    artifact = build(model, plan, target, samples, tmp_path, Control(), {})
    assert [each.bits for each in artifact.layers] == [8, 8]
    plan = resolve(Recipe(default=Settings(sparsity=0.3)), model.facts, target, True)
    assert "float16" in build(model, plan, target, samples, tmp_path, Control(), {}).notes[0]
    session(artifact.path)


def test_equal_weights_are_stored_once_whatever_form_they_take(make: Builder) -> None:
    net = Net("N", 64)
    weight = net.array("w", net.random.normal(size=(64, 64)).astype(np.float32))
    same = net.op("Identity", [weight], "same")
    net.op("MatMul", [net.op("Tanh", [net.op("MatMul", ["x", weight], "one")], "t"), same], "y")
    model = net.model("y")
    assert make(model, Recipe(default=Settings(bits=16))).bytes < 2 * 64 * 64 + 2000
    assert make(model, Recipe(default=Settings(bits=4, sparsity=0.6))).bytes < 64 * 64 / 2 + 2500


def test_each_repair_says_what_it_was_measured_to_bring(make: Builder) -> None:
    model = spread_net().model("head")
    eight = make(model, Recipe(target=HERE, default=Settings(bits=8))).notes
    assert [note.split()[0] for note in eight] == ["equalized", "biases"]
    assert float(eight[0].partition(": ")[2].split()[0]) > 3
    data = Samples("more", x=inputs_of(model, 128))  # enough to hold some back
    three = make(model, Recipe(target=HERE, default=Settings(bits=3, storage="packed")), data=data)
    assert three.notes[-2].startswith("rounding learned")
    for corrected in (eight[-1], three.notes[-1]):
        kept, whole = (int(corrected.split()[place]) for place in (6, 8))
        assert 0 < kept <= whole
        assert float(corrected.partition(": ")[2].split()[0]) > 1
