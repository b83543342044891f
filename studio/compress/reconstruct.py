"""Layer after layer, on what really reaches it once the layers in front are rounded: round, then correct.

Each layer's weights are rounded in second order for its rounded inputs (see `rounding`), aimed at what the
float net gives there, so that errors of the layers in front are made up for as far as they can be. Then
the mean error left on each channel goes into the bias: the full form of bias correction
(Nagel et al. 2019), which sees the errors of all layers in front. What does worse than plain rounding on
samples that were held back is not taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.compress import patches
from studio.compress.fold import bias_array, set_bias, weight_array
from studio.compress.grids import grid_of
from studio.compress.pruning.rows import affordable, chunks, samples
from studio.compress.pruning.walk import Walk, peak_bytes
from studio.compress.ranges import Range
from studio.compress.rounding import Problem, best_rounding
from studio.compress.weights import Levels, uniform
from studio.compress.work import Array, Work, set_input
from studio.control import Control
from studio.graph.model import LayerFact
from studio.stages import CalibrationSource

if TYPE_CHECKING:
    import onnx_ir as ir

NARROW = 7  # bits from which on down rounding is learned
ROWS = 2048  # places of a layer's input that are looked at, more for wide layers
_MOST_ROWS = 8192
_WIDEST = 6144  # inputs of one output; above, moments would not fit
_DAMP = 0.03  # of the mean moment, on every weight's own: keeps the inverse stable
_AIM = 0.1  # the same, pulling the aim towards the weights as they were
_HELD = 6  # every so many runs one is held back
_TINY = 1e-12
TOO_LARGE = (
    "weights are rounded to the nearest level: the net is too large to learn better in reasonable time"
)


@dataclass(frozen=True)
class Rows:
    """What one layer takes in: rows (G, places, K) float32 of the float net and of the rounded one, and
    how many of the first places are to learn from; the rest was held back."""

    given: Array
    rounded: Array
    learned: int

    def part(self, held: bool) -> tuple[Array, Array]:
        side = slice(self.learned, None) if held else slice(None, self.learned)
        return self.given[:, side], self.rounded[:, side]


def wanted(work: Work) -> bool:
    """Whether any layer is narrow enough for learned rounding to pay."""
    return any(row.bits <= NARROW for row in work.rows.values())


def reconstruct(
    work: Work,
    levels: Mapping[str, Levels],
    ranges: Mapping[str, Range],
    source: CalibrationSource,
    cache: MutableMapping[str, Any],
    control: Control,
) -> dict[str, Levels]:
    """New levels for the layers that could be looked at, by name; their biases are corrected.

    Samples are as many as 10^12 multiply-accumulates and 1 GiB of tensors allow; none where the net is
    too large for the fewest that are of use, which the notes then say. `cache` keeps each layer's
    levels by all that they come from.
    """
    runs = chunks(work.facts, source.batches(), work.plan.calibration_samples)
    runs = runs[: affordable(work.facts, runs, 2 * peak_bytes(work.model, work.facts))]
    if not runs:
        work.notes.append(TOO_LARGE)
        return {}
    from threadpoolctl import threadpool_limits

    pair = _Pair(work, levels, ranges, [dict(run) for run in runs])
    found: dict[str, Levels] = {}
    gains: list[float] = []
    with threadpool_limits(1, "blas"):  # sums in one order: the same bytes on any number of cores
        for index, (fact, node) in enumerate(pair.layers):
            control.step(index / len(pair.layers), f"rounding {fact.name}")
            rows = pair.rows(fact, node)
            found[fact.name], gain = _settled(node, rows, levels[fact.name], cache)
            gains += [gain] if gain else []
            pair.settle(fact, node, found[fact.name], rows)
    work.gained(f"rounding learned for {len(gains)} layers", gains)
    return found


def _settled(
    node: ir.Node, rows: Rows, levels: Levels, cache: MutableMapping[str, Any]
) -> tuple[Levels, float]:
    """What becomes of a layer's levels, and the decibels won on rows held back; 8 bits, zero points, blocks
    and shared weights stay as they are."""
    shared = node.inputs[1] is None or len(node.inputs[1].uses()) > 1
    if levels.bits > NARROW or shared or levels.zero is not None or levels.block:
        return levels, 0.0
    key = _key(rows, levels, node)
    if key not in cache:
        cache[key] = _rounded(node, rows, levels)
    found: tuple[Levels, float] = cache[key]
    return found


class _Pair:
    """The float net and a copy whose layers become rounded one after the other, walked side by side."""

    def __init__(
        self,
        work: Work,
        levels: Mapping[str, Levels],
        ranges: Mapping[str, Range],
        runs: list[dict[str, Array]],
    ) -> None:
        from studio.graph.names import nodes_by_name
        from studio.graph.onnx_edge import clone

        self._work, self._samples = work, samples(runs)
        copy = clone(work.model)
        self._nodes = nodes_by_name(copy)
        self.layers = [
            (fact, node) for fact, _, node in work.layers() if _known(node, fact, levels.get(fact.name))
        ]
        for fact in work.facts.layers:
            if fact.name in levels:
                _put(copy, self._nodes[fact.name], 1, levels[fact.name].dequantized())
        self._inputs = [_coded(work, copy, self._nodes[fact.name], fact, ranges) for fact, _ in self.layers]
        names = [str(node.inputs[0].name) for _, node in self.layers if node.inputs[0] is not None]
        self._copy, self._turn = copy, 0
        self._given = Walk(clone(work.model), runs, names)
        self._rounded = Walk(copy, runs, self._inputs)

    def rows(self, fact: LayerFact, node: ir.Node) -> Rows:
        """The next layer's rows in both nets, from the same places of the same samples."""
        assert node.inputs[0] is not None
        given = self._given.upto(str(node.inputs[0].name))
        rounded = self._rounded.upto(self._inputs[self._turn])
        self._turn += 1
        width = int(np.prod(fact.weight_shape)) // fact.out_channels
        most = max(1, min(max(ROWS, 4 * width), _MOST_ROWS) // max(self._samples, 1))
        held = [index for index in range(len(given)) if index % _HELD == _HELD - 1]
        order = [index for index in range(len(given)) if index not in held] + held
        cut = [
            [patches.rows(node, fact, side[index], most, np.random.default_rng(index)) for index in order]
            for side in (given, rounded)
        ]
        learned = sum(part.shape[1] for part in cut[0][: len(order) - len(held)])
        return Rows(np.concatenate(cut[0], axis=1), np.concatenate(cut[1], axis=1), learned)

    def settle(self, fact: LayerFact, node: ir.Node, levels: Levels, rows: Rows) -> None:
        """Put the levels into the rounded net, and the mean error that they leave into both biases."""
        twin = self._nodes[fact.name]
        _put(self._copy, twin, 1, levels.dequantized())
        weight, bias = weight_array(node), bias_array(node, fact.out_channels)
        if node.op_type == "MatMul" or bias is None or weight is None:
            return
        now, before = (each.mean(axis=1, keepdims=True) for each in (rows.rounded, rows.given))
        error = _output(node, levels.dequantized(), now) - _output(node, weight, before)
        fixed = (bias - error.reshape(-1)).astype(np.float32)
        set_bias(self._work, node, fixed)
        _put(self._copy, twin, 2, fixed)


def _known(node: ir.Node, fact: LayerFact, levels: Levels | None) -> bool:
    """Whether the layer is one of those that can be looked at: plain weights, one scale a channel."""
    weight = weight_array(node)
    if levels is None or weight is None or levels.scale.size not in (1, fact.out_channels):
        return False
    width = weight.size // fact.out_channels
    plain = getattr(levels, "zero", None) is None and not getattr(levels, "block", 0)
    return plain and width <= _WIDEST and patches.takes(node, weight)


def _put(model: ir.Model, node: ir.Node, index: int, array: Array) -> None:
    """A constant of the node's own."""
    import onnx_ir as ir

    name = f"{node.name}/rounded/{index}"
    model.graph.initializers.pop(name, None)
    value = ir.Value(name=name, const_value=ir.Tensor(array, name=name))
    model.graph.register_initializer(value)
    set_input(node, index, value)


def _coded(work: Work, model: ir.Model, node: ir.Node, fact: LayerFact, ranges: Mapping[str, Range]) -> str:
    """Code the layer's input as the file will; the name of what the layer then reads."""
    import onnx_ir as ir

    source = node.inputs[0]
    assert source is not None
    seen = ranges.get(str(source.name))
    if work.rows[fact.name].activations > 8 or seen is None:
        return str(source.name)
    grid = grid_of(seen, work.target.activation_type)
    parts = []
    for stem, array in (("scale", grid.scale_array()), ("zero", grid.zero_array())):
        name = f"{node.name}/coded/{stem}"
        parts.append(ir.Value(name=name, const_value=ir.Tensor(array, name=name)))
        model.graph.register_initializer(parts[-1])
    codes = ir.node("QuantizeLinear", [source, *parts])
    back = ir.node("DequantizeLinear", [codes.outputs[0], *parts])
    codes.outputs[0].name, back.outputs[0].name = f"{node.name}/codes", f"{node.name}/coded"
    model.graph.insert_before(node, [codes, back])
    node.replace_input_with(0, back.outputs[0])
    return str(back.outputs[0].name)


def _output(node: ir.Node, weight: Array, rows: Array) -> Array:
    """What the layer makes of `rows`, bias left out: (G, places, outputs)."""
    return np.asarray(rows @ patches.matrix(node, weight).swapaxes(1, 2))


def _rounded(node: ir.Node, rows: Rows, levels: Levels) -> tuple[Levels, float]:
    """The levels with less error on the rows held back, the learned ones or those given, and the decibels."""
    weight = weight_array(node)
    assert weight is not None
    found = _learned(node, rows, levels, weight)
    given, rounded = rows.part(held=True)
    if not given.shape[1]:
        return found, 0.0
    aim = _output(node, weight, given)
    errors = []
    for each in (levels, found):
        off = _output(node, each.dequantized(), rounded) - aim
        errors.append(float(np.square(_centred(node, off)).sum(dtype=np.float64)))
    if errors[1] >= errors[0]:
        return levels, 0.0
    return found, 10 * float(np.log10(errors[0] / max(errors[1], _TINY * errors[0])))


def _learned(node: ir.Node, rows: Rows, levels: Levels, weight: Array) -> Levels:
    given, rounded = (_centred(node, each) for each in rows.part(held=False))
    plain = patches.matrix(node, weight)
    places = max(1, given.shape[1])
    gram = rounded.swapaxes(1, 2) @ rounded / places
    cross = (plain @ given.swapaxes(1, 2)) @ rounded / places  # outputs are few: cheaper than moments
    unit = np.einsum("gkk->gk", gram).mean(axis=1)[:, None, None]
    eye = (np.maximum(unit, _TINY) * np.eye(gram.shape[1])).astype(np.float32)
    aimed = np.linalg.solve(gram + _AIM * eye, (cross + _AIM * (plain @ eye)).swapaxes(1, 2))
    channels = np.broadcast_to(levels.scale, (plain.shape[0] * plain.shape[1],)).reshape(plain.shape[:2])
    problem = Problem(
        rows=np.ascontiguousarray(aimed.swapaxes(1, 2), np.float32),
        gram=gram + _DAMP * eye,
        table=uniform(8) if levels.table is None else levels.table,
        frozen=plain == 0 if (levels.values[weight == 0] == 0).all() and (weight == 0).any() else None,
        tied=levels.scale.size < channels.size,
    )
    values, scale, _ = best_rounding(problem, patches.matrix(node, levels.values), channels)
    kept = scale.reshape(-1)[: levels.scale.size].astype(np.float32)
    return replace(levels, values=patches.restored(node, values, weight.shape), scale=kept)


def _centred(node: ir.Node, rows: Array) -> Array:
    """Without the mean, where a bias will take that in."""
    return rows if node.op_type == "MatMul" else rows - rows.mean(axis=1, keepdims=True)


def _key(rows: Rows, levels: Levels, node: ir.Node) -> str:
    digest = hashlib.sha256(f"{node.op_type}:{rows.learned}:{rows.given.shape}".encode())
    weight = weight_array(node)
    for array in (rows.given, rows.rounded, levels.values, levels.scale, levels.table, weight):
        if array is not None:
            digest.update(np.ascontiguousarray(array).tobytes())
    return f"round:{digest.hexdigest()}"
