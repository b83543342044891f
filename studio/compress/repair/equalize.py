"""Cross-layer equalization: give the channels between two layers one range, without changing the function.

After Nagel et al., *Data-free quantization through weight equalization and bias correction*, 2019.
Two things differ. Weights have a scale per output channel here, so what is balanced is the activation
between the layers against the next layer's weights, by ranges that were seen where there is data,
and only as far as it lowers the noise that rounding both of them causes.
And factors are powers of two, so that scaling there and back is exact in floating point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.compress.calibration.ranges import Seen
from studio.compress.digests import derived, digest_of
from studio.compress.parts import along, bias_array, scale_channels, set_bias, set_weight, weight_array
from studio.compress.work import Array, Work, only_consumer
from studio.graph.model import LayerFact
from studio.recipe.resolve import LayerPlan
from studio.recipe.settings import FLOAT

if TYPE_CHECKING:
    import onnx_ir as ir

_BETWEEN = ("Relu", "LeakyRelu", "MaxPool", "AveragePool", "GlobalAveragePool")
_MOST = 12
_SHARES = (None, 0.0, 0.25, 0.5, 0.75)
Cache = MutableMapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """Two layers whose channels between them can be scaled; `depthwise` is the second one's kind."""

    first: LayerFact
    second: LayerFact
    nodes: tuple[ir.Node, ir.Node]
    depthwise: bool
    tensors: tuple[str, ...]


@dataclass(frozen=True)
class Extent:
    """Of the weights between each output and input channel (outputs, inputs): `largest` is the greatest
    magnitude, float32, `power` the sum of squares, float64; `count` is how many they are."""

    largest: Array
    power: Array
    count: int


def equalize(work: Work, seen: Mapping[str, Seen], cache: Cache) -> dict[str, Array]:
    """Scale every pair of layers that only ops with f(s·x) = s·f(x), s > 0, lie between.

    `seen` gives the reach of each channel, by tensor name; without it the weights stand for it. `cache`
    keeps what was worked out, by what it follows from.
    Returns the exponents by tensor name, which go to `work.gains` too: value · 2^gain is the original value.
    """
    found: dict[str, Array] = {}
    gains = []
    for pair in _pairs(work):
        if _blind(work, pair, seen):
            continue
        exponents, gain = _chosen(work.rows[pair.second.name], pair, _reach(pair, seen), cache)
        if exponents.any():
            gains.append(gain)
            _apply(work, pair, exponents, cache)
            found.update(dict.fromkeys(pair.tensors, exponents))
    work.gains.update(found)
    if seen and gains:
        pairs = "pair" if len(gains) == 1 else "pairs"
        predicted = sum(gains) / len(gains)
        what = f"equalized {len(gains)} {pairs} of layers"
        work.notes.append(f"{what}: {predicted:.1f} dB less noise predicted from the ranges seen")
    return found


def _chosen(row: LayerPlan, pair: Pair, ahead: Array, cache: Cache) -> tuple[Array, float]:
    """Powers of two (channels,) that the activation between the layers is divided by.

    With them the decibels of rounding noise that they save behind the pair, by `ahead`, the reach between.
    """
    weight = digest_of(_weight_value(pair.nodes[1]))
    how = f"{_axes(pair)}:{row.bits}:{row.activations < FLOAT}"
    key = derived("exponents", weight, how, ahead.tobytes())
    if key not in cache:
        extent = _kept(cache, derived("extent", weight, _axes(pair)), lambda: _extent(pair))
        exponents = _exponents(pair, extent, ahead, row)
        cache[key] = exponents, _gain(pair, extent, ahead, exponents, row)
    chosen: tuple[Array, float] = cache[key]
    return chosen


def _axes(pair: Pair) -> str:
    return f"{pair.second.channel_axis}:{pair.second.input_axis}:{pair.depthwise}"


def _gain(pair: Pair, extent: Extent, ahead: Array, exponents: Array, row: LayerPlan) -> float:
    plain, scaled = (_noise(pair, extent, ahead, each, row) for each in (np.zeros_like(exponents), exponents))
    return 10 * float(np.log10(max(plain, 1e-30) / max(scaled, 1e-30)))


def _pairs(work: Work) -> list[Pair]:
    by_node = {node: fact for fact, _, node in work.layers()}
    found = (_pair(fact, node, by_node) for fact, _, node in work.layers())
    return [pair for pair in found if pair is not None and _wanted(work, pair)]


def _wanted(work: Work, pair: Pair) -> bool:
    return any(work.rows[fact.name].quantized for fact in (pair.first, pair.second))


def _pair(fact: LayerFact, node: ir.Node, by_node: Mapping[ir.Node, LayerFact]) -> Pair | None:
    tensors: list[str] = []
    value = node.outputs[0]
    pooled = False
    while (follower := only_consumer(value)) is not None and follower not in by_node:
        flat = follower.op_type == "Flatten" and pooled
        if follower.op_type not in _BETWEEN and not flat:
            return None
        pooled = pooled or follower.op_type == "GlobalAveragePool"
        tensors.append(str(value.name))
        value = follower.outputs[0]
    if follower is None or follower.inputs[0] is not value:
        return None
    second = by_node[follower]
    if not _matches(fact, second, pooled) or not _editable(node, fact) or not _editable(follower, second):
        return None
    return Pair(fact, second, (node, follower), second.depthwise, (*tensors, str(value.name)))


def _matches(first: LayerFact, second: LayerFact, pooled: bool) -> bool:
    same = (first.op == "Gemm") == (second.op in ("Gemm", "MatMul")) or (pooled and second.op == "Gemm")
    known = first.op in ("Conv", "Gemm") and second.op in ("Conv", "Gemm", "MatMul")
    wide = second.weight_shape[second.input_axis] * second.groups
    whole = second.groups == 1 or (second.depthwise and second.out_channels == first.out_channels)
    return same and known and whole and wide == first.out_channels


def _editable(node: ir.Node, fact: LayerFact) -> bool:
    alone = all(value is None or len(value.uses()) == 1 for value in node.inputs[1:3])
    known = fact.op == "MatMul" or bias_array(node, fact.out_channels) is not None
    return alone and known and weight_array(node) is not None


def _blind(work: Work, pair: Pair, seen: Mapping[str, Seen]) -> bool:
    """Whether balancing would rest on a guess of the activation where only weights are rounded.

    Weights with a scale per output channel gain nothing by a guess, and lose by a wrong one.
    """
    rows = [work.rows[fact.name] for fact in (pair.first, pair.second)]
    rounds_weights_only = rows[1].activations == FLOAT and all(row.granularity != "tensor" for row in rows)
    return pair.tensors[-1] not in seen and rounds_weights_only


def _exponents(pair: Pair, extent: Extent, ahead: Array, row: LayerPlan) -> Array:
    if pair.depthwise:  # every channel has its own scale there: the activation alone decides
        return np.where(ahead > 0, _rounded(ahead, np.ones_like(ahead), 1.0), 0)
    tried = [_rounded(ahead, _columns(extent), share) for share in _SHARES]
    noise = [_noise(pair, extent, ahead, exponents, row) for exponents in tried]
    return tried[min(range(len(tried)), key=noise.__getitem__)]


def _rounded(ahead: Array, behind: Array, share: float | None) -> Array:
    """Balance `ahead` (share 1) against `behind` (share 0); None leaves all channels alone."""
    usable = (ahead > 0) & (behind > 0)
    if share is None or not usable.any():
        return np.zeros(ahead.size, np.int64)
    reach, size = (np.log2(np.where(usable, each, 1.0)) for each in (ahead, behind))
    wish = share * reach - (1 - share) * size
    exponents = np.clip(np.rint(wish - np.max(wish[usable])), -_MOST, _MOST)
    return np.where(usable, exponents, _silenced(behind, exponents, usable)).astype(np.int64)


def _silenced(behind: Array, exponents: Array, usable: Array) -> Array:
    """Exponents for channels that were never active: their weights come down to the others' median.

    Nothing is known of them but that they carry nothing; left as large as they are, they would set
    the scales that the weights of live channels are rounded with.
    """
    sizes = np.log2(np.where(behind > 0, behind, 1.0))
    middle = np.median((sizes + exponents)[usable])
    down = np.clip(np.floor(middle - sizes), -2 * _MOST, 0)
    return np.where(behind > 0, down, 0.0)


def _noise(pair: Pair, extent: Extent, ahead: Array, exponents: Array, row: LayerPlan) -> float:
    """Noise power that rounding puts on the second layer's output, up to a constant.

    Each rounding error is taken as even over its step: the weights' step against the activation's
    power, and the activation's step against the weights' power. Peaks stand at three deviations.
    """
    factors = np.exp2(exponents).reshape((-1, 1) if pair.depthwise else (1, -1))
    activation = ahead / np.exp2(exponents)
    step = 2 * (extent.largest * factors).max(axis=1) / 2.0 ** min(row.bits, 8)
    of_weights = np.square(step).sum() * np.square(activation / 3).sum() * extent.count
    grid = activation.max() / 255 if row.activations < FLOAT else 0.0
    of_activation = grid**2 * (extent.power * np.square(factors)).sum()
    return float(of_weights + of_activation)


def _reach(pair: Pair, seen: Mapping[str, Seen]) -> Array:
    """Largest magnitude of each channel between the layers."""
    found = seen.get(pair.tensors[-1])
    if found is not None and found.reach is not None and found.reach.size == pair.first.out_channels:
        return found.reach.astype(np.float64)
    weight, bias = weight_array(pair.nodes[0]), bias_array(pair.nodes[0], pair.first.out_channels)
    assert weight is not None
    assert bias is not None
    rows = np.moveaxis(weight, pair.first.channel_axis, 0).reshape(pair.first.out_channels, -1)
    return np.asarray(np.abs(rows).max(axis=1), np.float64)


def _extent(pair: Pair) -> Extent:
    weight = weight_array(pair.nodes[1])
    assert weight is not None
    rows = np.moveaxis(weight, (pair.second.channel_axis, pair.second.input_axis), (0, 1))
    rows = rows.reshape(*rows.shape[:2], -1)
    power = np.einsum("oik,oik->oi", rows, rows, dtype=np.float64)
    return Extent(np.abs(rows).max(axis=2), power, rows.shape[2])


def _columns(extent: Extent) -> Array:
    """How large each input channel's weights are in the second layer, against their output's largest."""
    largest = extent.largest.max(axis=1, keepdims=True)
    shares = extent.largest / np.where(largest > 0, largest, 1)
    return np.asarray(shares.max(axis=0), np.float64)


def _apply(work: Work, pair: Pair, exponents: Array, cache: Cache) -> None:
    """Divide the first layer's outputs, and multiply the second's inputs."""
    first, second = pair.nodes
    down, up = (np.exp2(each).astype(np.float32) for each in (-exponents, exponents))
    bias = bias_array(first, pair.first.out_channels)
    assert bias is not None
    how = f"{pair.first.op}:{pair.first.groups}:{pair.first.channel_axis}"
    _scale(work, first, f"outputs:{how}", down, lambda it: scale_channels(it, down, pair.first), cache)
    if len(first.inputs) > 2 and first.inputs[2] is not None:
        set_bias(work, first, (bias * down).astype(np.float32))
    axis = pair.second.channel_axis if pair.depthwise else pair.second.input_axis
    _scale(work, second, f"along:{axis}", up, lambda it: it * along(up, it.ndim, axis), cache)


def _scale(
    work: Work, node: ir.Node, how: str, factors: Array, scaled: Callable[[Array], Array], cache: Cache
) -> None:
    weight = weight_array(node)
    assert weight is not None
    key = derived("scaled", digest_of(_weight_value(node)), how, factors.tobytes())
    set_weight(work, node, _kept(cache, key, lambda: scaled(weight)), key)


def _weight_value(node: ir.Node) -> ir.Value:
    value = node.inputs[1]
    assert value is not None
    return value


def _kept(cache: Cache, key: str, make: Callable[[], Any]) -> Any:
    if key not in cache:
        cache[key] = make()
    return cache[key]
