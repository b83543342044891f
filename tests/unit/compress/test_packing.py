"""What is packed comes back, here and in onnxruntime, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.compress.levels.codebook import cluster
from studio.compress.levels.weights import Levels, odd, quantize, uniform
from studio.compress.work import Array, Work, start
from studio.compress.write.packing import encode, pack, packed_bytes, unpack
from studio.compress.write.storage import Shelf, choose, masked_float_bytes, place, place_masked_float

from .conftest import Net, session

shapes = st.lists(st.integers(1, 7), min_size=1, max_size=4).map(tuple)
widths = st.integers(1, 8)


@given(widths, shapes, st.randoms(use_true_random=False))
def test_what_is_packed_comes_back(bits: int, shape: tuple[int, ...], random: np.random.Generator) -> None:
    codes = np.array([random.randrange(1 << bits) for _ in range(int(np.prod(shape)))], np.uint8).reshape(
        shape
    )
    planes = pack(codes, bits)
    assert planes.size == packed_bytes(codes.size, bits)
    np.testing.assert_array_equal(unpack(planes, shape), codes)


@given(widths.filter(lambda bits: bits < 8), shapes, st.integers(0, 99))
def test_codes_are_places_in_the_table(bits: int, shape: tuple[int, ...], seed: int) -> None:
    for table in (uniform(bits), odd(bits)):
        values = np.random.default_rng(seed).choice(table, shape)
        np.testing.assert_array_equal(table[encode(values, table)], values)


def folded(levels: Levels, storage: str, opset: int) -> Array:
    """The int8 weight that onnxruntime makes of the stored form."""
    net = Net("N", 4)
    net.op("Identity", ["x"], "y")
    work = _work(net)
    node = next(iter(work.model.graph))
    work.model.opset_imports[""], work.model.ir_version = opset, 10
    value = place(Shelf(work), node, levels, storage, "w", opset)
    return _given_out(work, value)


def _work(net: Net) -> Work:
    from studio.recipe.resolve import Plan
    from studio.target import load

    return start(net.model("y"), Plan((), "minmax", 1, ()), load("onnxruntime-cpu"))


def _given_out(work: Work, value: object) -> Array:
    import onnx_ir as ir

    from studio.graph.onnx_edge import serialize

    assert isinstance(value, ir.Value)
    node = ir.node("Identity", [value])
    node.outputs[0].name = "w_out"
    node.outputs[0].type = ir.TensorType(_dtype(value))
    work.model.graph.append(node)
    work.model.graph.outputs.append(node.outputs[0])
    return np.asarray(session(serialize(work.model)).run(["w_out"], {"x": np.zeros((1, 4), np.float32)})[0])


def _dtype(value: object) -> object:
    import onnx_ir as ir

    assert isinstance(value, ir.Value)
    return value.dtype or ir.DataType.INT8


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(widths.filter(lambda bits: bits < 8), shapes, st.integers(0, 999), st.sampled_from([17, 21]))
def test_onnxruntime_unpacks_the_same_bits(bits: int, shape: tuple[int, ...], seed: int, opset: int) -> None:
    table = uniform(bits) if bits > 3 or seed % 2 else odd(bits)
    values = np.random.default_rng(seed).choice(table, shape)
    levels = Levels(values, np.ones(1, np.float32), 0, bits, table)
    np.testing.assert_array_equal(folded(levels, "packed", opset), values)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(widths, shapes, st.integers(0, 999), st.floats(0, 1))
def test_onnxruntime_spreads_masked_weights(
    bits: int, shape: tuple[int, ...], seed: int, sparsity: float
) -> None:
    random = np.random.default_rng(seed)
    table = uniform(bits) if bits > 1 else odd(1)
    values = random.choice(table, shape) * (random.random(shape) >= sparsity).astype(np.int8)
    levels = Levels(values, np.ones(1, np.float32), 0, bits, table if bits < 8 else None)
    np.testing.assert_array_equal(folded(levels, "masked", 21), values)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_masked_floats_come_back(dtype: type) -> None:
    import onnx_ir as ir

    random = np.random.default_rng(0)
    weight = (random.normal(size=(5, 3, 3)) * (random.random((5, 3, 3)) > 0.7)).astype(dtype)
    net = Net("N", 4)
    net.op("Identity", ["x"], "y")
    work = _work(net)
    value = place_masked_float(Shelf(work), next(iter(work.model.graph)), weight, "w")
    value.type = ir.TensorType(ir.DataType.FLOAT if dtype is np.float32 else ir.DataType.FLOAT16)
    np.testing.assert_array_equal(_given_out(work, value), weight)
    assert masked_float_bytes(np.zeros((64, 64), np.float32)) < 64 * 64


@pytest.mark.slow
@given(widths, st.sampled_from([(8, 4, 3, 3), (6, 5)]), st.integers(0, 99))
def test_rounding_stays_within_half_a_step(bits: int, shape: tuple[int, ...], seed: int) -> None:
    weight = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    levels = quantize(weight, bits, 0)
    step = (float(levels.table[1]) - float(levels.table[0])) if levels.table is not None else 1.0
    scale = levels.scale.reshape(-1, *[1] * (weight.ndim - 1))
    low, high = (levels.table[0], levels.table[-1]) if levels.table is not None else (-127, 127)
    inside = (weight >= low * scale) & (weight <= high * scale)
    error = np.abs(levels.dequantized() - weight)
    assert (error[inside] <= (0.5001 * step * scale + 1e-7 + 0 * weight)[inside]).all()
    assert levels.table is None or np.isin(levels.values, levels.table).all()


def test_clipping_loses_less_than_the_whole_range_does() -> None:
    weight = np.random.default_rng(3).standard_t(4, (16, 256)).astype(np.float32)
    top = np.abs(weight).max(axis=1, keepdims=True) / 7
    plain = np.clip(np.rint(weight / top), -8, 7) * top
    best = quantize(weight, 4, 0).dequantized()
    assert np.square(best - weight).sum() < 0.75 * np.square(plain - weight).sum()


def test_every_stop_of_the_slider_needs_fewer_bits() -> None:
    weight = np.random.default_rng(4).normal(size=(32, 288)).astype(np.float32)
    errors = [
        float(np.square(quantize(weight, bits, 0).dequantized() - weight).sum()) for bits in range(8, 0, -1)
    ]
    assert errors == sorted(errors)


def test_small_layers_stay_dense_and_large_ones_are_packed() -> None:
    random = np.random.default_rng(0)
    small = quantize(random.normal(size=(8, 1, 3, 3)).astype(np.float32), 3, 0)
    large = quantize(random.normal(size=(64, 64, 3, 3)).astype(np.float32), 3, 0)
    assert choose(small, "auto", 21) == "dense"
    assert choose(large, "auto", 21) == "packed"
    assert choose(small, "packed", 21) == "packed"


def test_pruned_weights_stay_exactly_zero() -> None:
    weight = np.random.default_rng(0).normal(size=(16, 16, 3, 3)).astype(np.float32)
    weight[np.abs(weight) < 1] = 0
    for bits in range(1, 9):
        levels = quantize(weight, bits, 0, keep_zero=True)
        assert not levels.values[weight == 0].any()
    assert choose(levels, "auto", 21) == "masked"


@pytest.mark.parametrize(("bits", "gain"), [(4, 0.5), (3, 0.2)])
def test_a_code_book_is_closer_than_even_steps(bits: int, gain: float) -> None:
    weight = np.random.default_rng(0).normal(size=(64, 16, 3, 3)).astype(np.float32)
    book, even = cluster(weight, bits, 0), quantize(weight, bits, 0)
    assert book.table is not None
    assert book.table.size == np.unique(book.table).size == 1 << bits
    assert np.isin(book.values, book.table).all()
    errors = [float(np.square(levels.dequantized() - weight).sum()) for levels in (book, even)]
    assert 10 * np.log10(errors[1] / errors[0]) > gain


@pytest.mark.slow
@given(widths.filter(lambda bits: bits < 8), shapes, st.integers(0, 99))
def test_code_books_take_any_weight(bits: int, shape: tuple[int, ...], seed: int) -> None:
    random = np.random.default_rng(seed)
    weight = (random.normal(size=shape) * (random.random(shape) > 0.5)).astype(np.float32)
    levels = cluster(weight, bits, 0, keep_zero=True)
    assert np.isfinite(levels.dequantized()).all()
    assert not levels.values[weight == 0].any()
