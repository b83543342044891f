"""Cross-layer equalization: give the channels between two layers one range, without changing the function.

After Nagel et al., *Data-free quantization through weight equalization and bias correction*, 2019.
Two things differ. Weights have a scale per output channel here, so what is balanced is the activation
between the layers against the next layer's weights, by ranges that were seen where there is data,
and only as far as it lowers the noise that rounding both of them causes.
And factors are powers of two, so that scaling there and back is exact in floating point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.fold import along, bias_array, scale_channels, set_bias, set_weight, weight_array
from studio.compress.ranges import Seen
from studio.compress.work import Array, Work, only_consumer
from studio.graph.model import LayerFact
from studio.recipe.resolve import LayerPlan
from studio.recipe.settings import FLOAT

if TYPE_CHECKING:
    import onnx_ir as ir

_BETWEEN = ("Relu", "LeakyRelu", "MaxPool", "AveragePool", "GlobalAveragePool")
_MOST = 12
_SHARES = (None, 0.0, 0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Pair:
    """Two layers whose channels between them can be scaled; `depthwise` is the second one's kind."""

    first: LayerFact
    second: LayerFact
    nodes: tuple[ir.Node, ir.Node]
    depthwise: bool
    tensors: tuple[str, ...]


def equalize(work: Work, seen: Mapping[str, Seen]) -> dict[str, Array]:
    """Scale every pair of layers that only ops with f(s·x) = s·f(x), s > 0, lie between.

    `seen` gives the reach of each channel, by tensor name; without it the weights stand for it.
    Returns the exponents by tensor name, which go to `work.gains` too: value · 2^gain is the original value.
    """
    found: dict[str, Array] = {}
    gains = []
    for pair in _pairs(work):
        if _blind(work, pair, seen):
            continue
        exponents = _exponents(work, pair, seen)
        if exponents is not None and exponents.any():
            gains.append(_gain(work, pair, seen, exponents))
            _apply(work, pair, exponents)
            found.update(dict.fromkeys(pair.tensors, exponents))
    work.gains.update(found)
    if seen:
        pairs = "pair" if len(gains) == 1 else "pairs"
        predicted = sum(gains) / max(len(gains), 1)
        what = f"equalized {len(gains)} {pairs} of layers"
        work.notes += (
            [f"{what}: {predicted:.1f} dB less noise predicted from the ranges seen"] if gains else []
        )
    return found


def _gain(work: Work, pair: Pair, seen: Mapping[str, Seen], exponents: Array) -> float:
    """Decibels of rounding noise that the exponents save behind the pair, by the ranges that were seen."""
    ahead, row = _reach(pair, seen), work.rows[pair.second.name]
    plain, scaled = (_noise(pair, ahead, each, row) for each in (np.zeros_like(exponents), exponents))
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


def _exponents(work: Work, pair: Pair, seen: Mapping[str, Seen]) -> Array | None:
    """Powers of two (channels,) that the activation between the layers is divided by."""
    ahead = _reach(pair, seen)
    if pair.depthwise:  # every channel has its own scale there: the activation alone decides
        return np.where(ahead > 0, _rounded(ahead, np.ones_like(ahead), 1.0), 0)
    behind = _columns(pair)
    tried = [_rounded(ahead, behind, share) for share in _SHARES]
    row = work.rows[pair.second.name]
    noise = [_noise(pair, ahead, exponents, row) for exponents in tried]
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


def _noise(pair: Pair, ahead: Array, exponents: Array, row: LayerPlan) -> float:
    """Noise power that rounding puts on the second layer's output, up to a constant.

    Each rounding error is taken as even over its step: the weights' step against the activation's
    power, and the activation's step against the weights' power. Peaks stand at three deviations.
    """
    weight = weight_array(pair.nodes[1])
    assert weight is not None
    scaled = np.moveaxis(weight, (pair.second.channel_axis, pair.second.input_axis), (0, 1))
    shape = (-1, 1, 1) if pair.depthwise else (1, -1, 1)
    scaled = scaled.reshape(*scaled.shape[:2], -1) * np.exp2(exponents).reshape(shape)
    activation = ahead / np.exp2(exponents)
    step = 2 * np.abs(scaled).max(axis=(1, 2)) / 2.0 ** min(row.bits, 8)
    of_weights = np.square(step).sum() * np.square(activation / 3).sum() * scaled.shape[2]
    grid = activation.max() / 255 if row.activations < FLOAT else 0.0
    of_activation = grid**2 * np.square(scaled).sum()
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


def _columns(pair: Pair) -> Array:
    """How large each input channel's weights are in the second layer, against their output's largest."""
    weight = weight_array(pair.nodes[1])
    assert weight is not None
    size = np.abs(np.moveaxis(weight, (pair.second.channel_axis, pair.second.input_axis), (0, 1)))
    size = size.reshape(*size.shape[:2], -1).max(axis=2)
    largest = size.max(axis=1, keepdims=True)
    return np.asarray((size / np.where(largest > 0, largest, 1)).max(axis=0), np.float64)


def _apply(work: Work, pair: Pair, exponents: Array) -> None:
    first, second = pair.nodes
    down = np.exp2(-exponents).astype(np.float32)
    up = np.exp2(exponents).astype(np.float32)
    weight, bias = weight_array(first), bias_array(first, pair.first.out_channels)
    follower = weight_array(second)
    assert weight is not None
    assert bias is not None
    assert follower is not None
    set_weight(work, first, scale_channels(weight, down, pair.first))
    if len(first.inputs) > 2 and first.inputs[2] is not None:
        set_bias(work, first, (bias * down).astype(np.float32))
    axis = pair.second.channel_axis if pair.depthwise else pair.second.input_axis
    set_weight(work, second, (follower * along(up, follower.ndim, axis)).astype(np.float32))
