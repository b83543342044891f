"""The float net and a copy whose layers become rounded one after the other, walked side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.calibration.grids import grid_of
from studio.compress.calibration.ranges import Range
from studio.compress.levels.weights import Levels
from studio.compress.parts import bias_array, set_bias, weight_array
from studio.compress.pruning.rows import samples
from studio.compress.repair import patches
from studio.compress.repair.bias import Shift, shift_of
from studio.compress.repair.sides import Cut, Shelf, Side
from studio.compress.work import Array, Work, set_input
from studio.graph.model import LayerFact

if TYPE_CHECKING:
    import onnx_ir as ir

ROWS = 2048  # places of a layer's input that are looked at, more for wide layers
_MOST_ROWS = 8192
_WIDEST = 6144  # inputs of one output; above, moments would not fit
_HELD = 6  # every so many runs one is held back


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


class Twins:
    """The float net and a copy whose layers become rounded one after the other, walked side by side.

    `keys` tells, layer by layer, all that decides what becomes of it: nets are walked only as far as
    somebody asks for rows, in the same steps every time, so that an edit gives the bytes of a fresh build.
    `said` names the samples; what was walked is kept in `shelf`.
    """

    def __init__(
        self,
        work: Work,
        levels: Mapping[str, Levels],
        ranges: Mapping[str, Range],
        runs: list[dict[str, Array]],
        said: str,
        shelf: Shelf,
    ) -> None:
        from studio.graph.names import nodes_by_name
        from studio.graph.onnx_edge import clone

        self._work, self._shelf, self._samples = work, shelf, samples(runs)
        copy = clone(work.model)
        self._nodes = nodes_by_name(copy)
        self.layers = [
            (fact, node) for fact, _, node in work.layers() if _known(node, fact, levels.get(fact.name))
        ]
        for fact in work.facts.layers:
            if fact.name in levels:
                _put(copy, self._nodes[fact.name], 1, levels[fact.name].dequantized())
        inputs = [_coded(work, copy, self._nodes[fact.name], fact, ranges) for fact, _ in self.layers]
        names = [str(node.inputs[0].name) for _, node in self.layers if node.inputs[0] is not None]
        self._copy = copy
        self._given, self._rounded = Side(clone(work.model), runs, names), Side(copy, runs, inputs)
        # Where a walk stops may decide how the runtime orders its sums, so that these names have a say.
        self._said = _digest(said, str(len(runs)), *names, *inputs)
        self.keys = [self._key(index, levels[fact.name]) for index, (fact, _) in enumerate(self.layers)]

    def _key(self, index: int, levels: Levels) -> str:
        node = self.layers[index][1]
        alone = node.inputs[1] is not None and len(node.inputs[1].uses()) == 1
        own = self._given.stamps[str(node.outputs[0].name)]
        ahead = self._rounded.stamps[self._rounded.names[index]]
        marks = f"{levels.bits}:{levels.book}:{levels.block}:{alone}"
        return _digest(self._said, own, ahead, marks, levels.values, levels.scale, levels.table)

    def rows(self, index: int) -> Rows:
        """A layer's rows in both nets, from the same places of the same samples.

        Layers ahead must be settled, and nobody may ask for one of them any more.
        """
        fact, node = self.layers[index]
        key = _digest(self._said, self._given.stamps[str(node.outputs[0].name)])
        given = self._shelf.rows.find(key)
        if given is None:
            given = self._cut(fact, node, self._given.upto(index))
            self._shelf.rows.put(key, given, given[0].nbytes)
        stamps = [self._rounded.stamps[name] for name in self._rounded.names]
        ahead = [_digest(self._said, stamps[turn], *self.keys[:turn]) for turn in range(index + 1)]
        self._rounded.resume(ahead, self._shelf.states)
        rounded = self._rounded.upto(index)
        self._rounded.leave(ahead[index], index, rounded, self._shelf.states)
        return Rows(given[0], self._cut(fact, node, rounded)[0], given[1])

    def _cut(self, fact: LayerFact, node: ir.Node, side: list[Array]) -> Cut:
        width = int(np.prod(fact.weight_shape)) // fact.out_channels
        most = max(1, min(max(ROWS, 4 * width), _MOST_ROWS) // max(self._samples, 1))
        held = [index for index in range(len(side)) if index % _HELD == _HELD - 1]
        order = [index for index in range(len(side)) if index not in held] + held
        cut = [patches.rows(node, fact, side[index], most, np.random.default_rng(index)) for index in order]
        return np.concatenate(cut, axis=1), sum(part.shape[1] for part in cut[: len(order) - len(held)])

    def settle(self, index: int, levels: Levels, shift: Shift | None) -> None:
        """Put a layer's levels into the rounded net, and what goes off its bias into both."""
        fact, node = self.layers[index]
        twin = self._nodes[fact.name]
        _put(self._copy, twin, 1, levels.dequantized())
        bias = bias_array(node, fact.out_channels)
        if shift is not None and bias is not None:
            fixed = (bias - shift.change).astype(np.float32)
            set_bias(self._work, node, fixed)
            _put(self._copy, twin, 2, fixed)


def shift(fact: LayerFact, node: ir.Node, levels: Levels, rows: Rows) -> Shift | None:
    """The mean error that the levels leave on each channel, for the bias; None where there is none."""
    weight, bias = weight_array(node), bias_array(node, fact.out_channels)
    if node.op_type == "MatMul" or bias is None or weight is None:
        return None
    rounded = levels.dequantized()
    places = rows.given.shape[1]
    first = rows.learned if rows.learned < places else places // 2  # samples too few to hold back a run
    parts = (slice(None), slice(None, first), slice(first, None)) if first else ()
    sides = [(rows.given[:, part], rows.rounded[:, part]) for part in parts]
    return shift_of(*(_mean_error(node, weight, rounded, each) for each in sides)) if sides else None


def _mean_error(node: ir.Node, weight: Array, rounded: Array, rows: tuple[Array, Array]) -> Array:
    before, now = (each.mean(axis=1, keepdims=True) for each in rows)
    return np.asarray(output(node, rounded, now) - output(node, weight, before)).reshape(-1)


def _digest(*parts: str | Array | None) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.tobytes() if isinstance(part, np.ndarray) else f"|{part}|".encode())
    return digest.hexdigest()


def _known(node: ir.Node, fact: LayerFact, levels: Levels | None) -> bool:
    """Whether the layer is one of those that can be looked at: plain weights around zero."""
    weight = weight_array(node)
    if levels is None or weight is None or levels.zero is not None:
        return False
    if levels.scale.size not in (1, fact.out_channels) and not levels.block:
        return False
    width = weight.size // fact.out_channels
    return width <= _WIDEST and patches.takes(node, weight)


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


def output(node: ir.Node, weight: Array, rows: Array) -> Array:
    """What the layer makes of `rows`, bias left out: (G, places, outputs)."""
    return np.asarray(rows @ patches.matrix(node, weight).swapaxes(1, 2))
