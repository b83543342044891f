"""Kinds of integers: ranges found at every run, zero points, blocks, signed and reduced codes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from studio.artifact import Artifact
from studio.compress.levels.asymmetric import quantize_asymmetric
from studio.compress.levels.blocks import quantize_blocks
from studio.compress.levels.weights import quantize
from studio.graph.onnx_edge import serialize
from studio.recipe import presets
from studio.recipe.settings import Recipe, Settings

from .conftest import (
    HERE,
    Builder,
    Net,
    Samples,
    at_full_range,
    inputs_of,
    kernels,
    residual_net,
    run,
    session,
    sqnr,
)


def block_net(batch: int | str = "N", width: int = 32, tokens: int = 9) -> Net:
    """A transformer's block as torch exports it: LayerNorm, products with a bias behind, GELU, a sum."""
    net = Net(batch, tokens, width)
    for index in (1, 2):
        net.array(f"gamma{index}", net.random.uniform(0.5, 2, width).astype(np.float32))
        net.array(f"beta{index}", net.random.normal(0, 0.2, width).astype(np.float32))
    one = net.op("LayerNormalization", ["x", "gamma1", "beta1"], "norm1", axis=-1)
    left, right = (linear(net, one, name, width, width) for name in ("query", "key"))
    turned = net.op("Transpose", [right], "turned", perm=[0, 2, 1])
    weights = net.op("Softmax", [net.op("MatMul", [left, turned], "scores")], "weights", axis=-1)
    mixed = linear(net, net.op("MatMul", [weights, one], "mixed"), "out", width, width)
    two = net.op(
        "LayerNormalization", [net.op("Add", ["x", mixed], "sum1"), "gamma2", "beta2"], "norm2", axis=-1
    )
    hidden = net.op("Gelu", [linear(net, two, "up", width, 4 * width)], "gelu")
    net.op("Add", ["sum1", linear(net, hidden, "down", 4 * width, width)], "y")
    return net


def linear(net: Net, source: str, name: str, inputs: int, outputs: int) -> str:
    weight = net.random.normal(0, inputs**-0.5, (inputs, outputs)).astype(np.float32)
    product = net.op("MatMul", [source, net.array(f"{name}.weight", weight)], name)
    bias = net.array(f"{name}.bias", net.random.normal(0, 0.1, outputs).astype(np.float32))
    return net.op("Add", [product, bias], f"{name}.sum")


def reasons(artifact: Artifact) -> set[str]:
    return {
        f"{each.setting} {each.asked} → {each.given}" for layer in artifact.layers for each in layer.refused
    }


@pytest.mark.parametrize("batch", ["N", 1])
def test_products_run_on_integers_whether_sizes_are_known_or_not(
    make: Builder, tmp_path: Path, batch: int | str
) -> None:
    model = block_net(batch).model("y", opset=20)
    x = inputs_of(model, 8 if batch == "N" else 1)
    artifact = make(model, Recipe(target=HERE, default=Settings(bits=8)), data=Samples("noise", x=x))
    found = kernels(artifact.path, tmp_path)
    assert found["MatMulIntegerToFloat"] == 5
    assert found["QuantizeLinear"] == 4  # query and key read the same codes
    assert found["DequantizeLinear"] == found["Gemm"] == 0
    assert sqnr(run(serialize(model.ir), x), run(artifact.path, x)) > at_full_range(25)


@pytest.mark.parametrize("bits", [8, 4])
def test_ranges_found_at_every_run_need_no_data(make: Builder, tmp_path: Path, bits: int) -> None:
    model = block_net().model("y", opset=20)
    preset = presets.load("dynamic-int8")
    settings = msgspec.structs.replace(preset.default, bits=bits)
    recipe = msgspec.structs.replace(preset, default=settings, target=HERE)
    artifact = make(model, recipe, data=None)
    found = kernels(artifact.path, tmp_path)
    assert (found["DynamicQuantizeMatMul"], found["MatMulIntegerToFloat"]) == (3, 2)
    assert found["Add"] == 2  # each bias is part of its product
    x = inputs_of(model, 4, seed=3)
    least = at_full_range(30) if bits == 8 else 12
    assert sqnr(run(serialize(model.ir), x), run(artifact.path, x)) > least


def test_dense_layers_can_find_ranges_and_convolutions_cannot(make: Builder, tmp_path: Path) -> None:
    model = residual_net().model("head")
    artifact = make(model, presets.load("dynamic-int8"), data=None)
    found = kernels(artifact.path, tmp_path)
    assert found["DynamicQuantizeMatMul"] == 1
    assert found["ConvInteger"] == found["QLinearConv"] == 0
    refused = [each for layer in artifact.layers for each in layer.refused if each.setting == "dynamic"]
    assert len(refused) == 7
    assert all("2 to 7 times slower" in each.reason for each in refused)
    names = [output.name for output in session(artifact.path).get_outputs()]
    assert names == ["head"]
    onnx.checker.check_model(onnx.load(artifact.path), full_check=True)


def test_without_data_a_net_of_products_finds_its_ranges_and_says_so(make: Builder, tmp_path: Path) -> None:
    artifact = make(block_net().model("y", opset=20), Recipe(default=Settings(bits=8)), data=None)
    assert kernels(artifact.path, tmp_path)["DynamicQuantizeMatMul"] == 3
    assert reasons(artifact) == {"dynamic false → true"}
    plain = make(residual_net().model("head"), Recipe(default=Settings(bits=8)), data=None)
    assert not kernels(plain.path, tmp_path)["DynamicQuantizeMatMul"]


@pytest.mark.parametrize("granularity", ["channel", "tensor"])
@pytest.mark.parametrize(("activations", "bits"), [(8, 8), (8, 4), (32, 3)])
def test_zero_points_run_on_the_same_kernels(
    make: Builder, tmp_path: Path, granularity: str, activations: int, bits: int
) -> None:
    model = residual_net(8).model("head")
    settings = msgspec.convert(
        {"bits": bits, "symmetric": False, "granularity": granularity, "activations": activations}, Settings
    )
    artifact = make(model, Recipe(target=HERE, default=settings, repair=()))
    found = kernels(artifact.path, tmp_path)
    wanted = (7, 1, 0, 0) if activations == 8 else (0, 0, 7, 1)
    floats = found["Conv"] + found["FusedConv"]
    assert (found["QLinearConv"], found["QGemm"], floats, found["Gemm"]) == wanted
    zeros = [numpy_helper.to_array(each) for each in onnx.load(artifact.path).graph.initializer]
    assert any(each.dtype == (np.int8 if activations == 8 else np.float32) and each.any() for each in zeros)
    assert reasons(artifact) == ({"symmetric false → true"} if activations == 8 else set())  # depth-wise
    x = inputs_of(model, seed=9)
    assert sqnr(run(serialize(model.ir), x), run(artifact.path, x)) > {8: 18, 4: 5, 3: 2}[bits]


def test_zero_points_fit_weights_that_lie_to_one_side() -> None:
    weight = np.random.default_rng(0).uniform(-0.2, 1.0, (8, 4, 3, 3)).astype(np.float32)
    for bits in (8, 5, 3, 2):
        both = quantize(weight, bits, 0).dequantized(), quantize_asymmetric(weight, bits, 0).dequantized()
        errors = [float(np.square(each - weight).sum()) for each in both]
        assert errors[1] < 0.7 * errors[0]


def test_zero_points_that_cannot_be_had_are_refused(make: Builder) -> None:
    net = block_net().model("y", opset=20)
    for settings in (
        Settings(bits=1, symmetric=False),
        Settings(bits=4, symmetric=False, storage="codebook"),
    ):
        assert "symmetric false → true" in reasons(make(net, Recipe(default=settings)))


def test_blocks_become_products_that_read_four_bits(make: Builder, tmp_path: Path) -> None:
    model = block_net(width=64).model("y", opset=20)
    artifact = make(model, Recipe(default=Settings(bits=4, granularity="block", block=16)), data=None)
    found = kernels(artifact.path, tmp_path)
    assert found["MatMulNBits"] == 5
    assert not reasons(artifact)
    x = inputs_of(model, 4, seed=3)
    plain = make(model, Recipe(default=Settings(bits=4, activations=32, storage="packed")), data=None)
    reference = run(serialize(model.ir), x)
    assert sqnr(reference, run(artifact.path, x)) > sqnr(reference, run(plain.path, x))


def test_block_lengths_that_do_not_fit_are_refused(make: Builder) -> None:
    model = block_net().model("y", opset=20)
    long = make(model, Recipe(default=Settings(bits=4, granularity="block", block=128)), data=None)
    assert reasons(long) == {"block 128 → 32"}  # where 128 inputs are, it fits
    wide = make(model, Recipe(default=Settings(bits=4, granularity="block", activations=8)))
    assert reasons(wide) == {"granularity block → channel"}
    assert reasons(make(model, Recipe(default=Settings(bits=8, granularity="block")))) == reasons(wide)


def test_blocks_are_closer_than_channels() -> None:
    weight = np.random.default_rng(1).normal(size=(64, 6)).astype(np.float32)
    weight[:16] *= 20
    levels = quantize_blocks(weight, 16)
    assert levels.scale.shape == (4, 6)
    assert set(np.unique(levels.values)) <= set(range(-8, 8))
    off = np.square(levels.dequantized() - weight)[16:].sum()
    assert off < 0.05 * np.square(quantize(weight, 4, 1).dequantized() - weight)[16:].sum()


def test_sixteen_bit_activations_are_refused_with_their_price(make: Builder) -> None:
    artifact = make(block_net().model("y", opset=20), Recipe(default=Settings(bits=8, activations=16)))
    reason = {each.reason for layer in artifact.layers for each in layer.refused}
    assert len(reason) == 1
    assert "3 to 8 times slower than float" in reason.pop()


def test_signed_activations_are_fused_alike(make: Builder, tmp_path: Path) -> None:
    model = residual_net().model("head")
    artifact = make(model, Recipe(target="onnxruntime-cpu-arm", default=Settings(bits=8)))
    options = ort.SessionOptions()
    options.add_session_config_entry("session.qdqisint8allowed", "1")  # as it is on ARM
    options.optimized_model_filepath = str(tmp_path / "arm.onnx")
    opened = ort.InferenceSession(artifact.path, options, providers=["CPUExecutionProvider"])
    found = Counter(node.op_type for node in onnx.load(tmp_path / "arm.onnx").graph.node)
    assert (found["QLinearConv"], found["QLinearAdd"], found["QGemm"]) == (7, 2, 1)
    zeros = [numpy_helper.to_array(each) for each in onnx.load(artifact.path).graph.initializer]
    assert not any(each.dtype == np.uint8 for each in zeros)
    x = inputs_of(model, seed=9)
    assert sqnr(run(serialize(model.ir), x), np.asarray(opened.run(None, {"x": x})[0])) > 25


@pytest.mark.slow
@pytest.mark.parametrize("symmetric", [True, False])
def test_reduced_range_cannot_saturate_pairs_of_products(make: Builder, symmetric: bool) -> None:
    """Kernels without VNNI add two products of uint8 and int8 in 16 bits, but those of depth-wise layers."""
    recipe = Recipe(
        target="onnxruntime-cpu-x86-avx2", default=Settings(bits=8, symmetric=symmetric), repair=("bias",)
    )
    artifact = make(residual_net().model("head"), recipe)
    arrays = [numpy_helper.to_array(each) for each in onnx.load(artifact.path).graph.initializer]
    weights = [each for each in arrays if each.dtype == np.int8 and each.size > 64 and each.shape[1] > 1]
    assert len(weights) == 7
    largest = max(int(np.abs(each.astype(np.int64)).max()) for each in weights)
    assert largest >= 63
    assert 2 * 255 * largest <= np.iinfo(np.int16).max
