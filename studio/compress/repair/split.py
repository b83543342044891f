"""Outlier split: the few input channels that carry a product's range go a way of their own, in float.

After Dettmers et al., *LLM.int8()*, 2022: a handful of channels of what a matrix product takes in can be
many times larger than the rest, and one grid for all of them leaves the rest few levels; large columns of
weights do the same to the weights' scales (what Zhao et al., *OCS*, 2019, halve and double). Where no layer
in front can take the difference in (see `equalize` and `smooth`), these channels are picked out and
multiplied in float, and the sums are added. The integer product stays as wide as it was, with zeros in
their place: its grid need not reach them any more. How many go is tried out on half of the rows that
were seen, and taken only where the other half agrees.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.calibration.ranges import Range, Seen
from studio.compress.parts import bias_array, set_weight
from studio.compress.repair.products import WIDEST, matrix, noise, on_grid, takes
from studio.compress.work import Array, Work, attribute
from studio.compress.write.pairs import hand_over
from studio.compress.write.places import data_inputs, find_places
from studio.graph.model import LayerFact
from studio.recipe.resolve import LayerPlan

if TYPE_CHECKING:
    import onnx_ir as ir

_MOST = 16
_SHARE = 16  # at most one channel in so many
_LARGE = 1.5  # times the range of the rest: below, a split cannot win much
_GAIN = 0.5  # of the error; less is not worth three more ops
_NEAR = 1.25  # of the least error: fewer channels do then


@dataclass(frozen=True)
class Joint:
    """A float tensor (…, C) and the integer products that read its codes."""

    value: ir.Value
    readers: tuple[tuple[LayerFact, LayerPlan, ir.Node], ...]


def split_outliers(work: Work, seen: Mapping[str, Seen], ranges: MutableMapping[str, Range]) -> None:
    """Split every joint where that halves the error of its products, or better.

    `seen` holds rows of each product's input by tensor name; `ranges` is narrowed for what was split. What
    was won goes to `work.notes`, layers whose weights got zeros to `work.split`.
    """
    won, channels = [], 0
    for joint in _joints(work):
        found = seen.get(str(joint.value.name))
        tried = None if found is None or found.rows is None else _best(joint, found.rows)
        rest = None if found is None or tried is None else found.without(tried[0])
        if tried is None or rest is None:
            continue
        name = str(joint.value.name)
        ranges[name] = Range(max(ranges[name].low, rest.low), min(ranges[name].high, rest.high))
        _apply(work, joint, tried[0])
        won.append(tried[1])
        channels += tried[0].size
    work.gained(f"split {channels} channels of {len(won)} inputs of matrix products off into float", won)


def _joints(work: Work) -> list[Joint]:
    """Where a float value becomes codes for nothing but products; two levels have none to spare for zero."""
    integer = dict.fromkeys(node for fact, row, node in work.layers() if _on_integers(fact, row, node))
    places = find_places(work, integer)
    by_node = {node: (fact, row) for fact, row, node in work.layers()}
    found = []
    for value in places.entered:
        users = [node for node in value.consumers() if node in places.integer and value in data_inputs(node)]
        readers = tuple((*by_node[node], node) for node in users if node in by_node)
        whole = len(readers) == len(users) and all(row.bits > 1 for _, row, _ in readers)
        if whole and all(takes(*each, value) for each in readers):
            found.append(Joint(value, readers))
    return found


def _on_integers(fact: LayerFact, row: LayerPlan, node: ir.Node) -> bool:
    known = node.op_type == "MatMul" or bias_array(node, fact.out_channels) is not None
    return row.quantized and row.activations <= 8 and not row.dynamic and known


def _best(joint: Joint, rows: Array) -> tuple[Array, float] | None:
    """The channels to split off and the decibels won on rows held back; None where nothing is."""
    weights = [matrix(node) for _, _, node in joint.readers]
    width = rows.shape[1]
    most = min(_MOST, width // _SHARE)
    fitting = all(each.shape[0] == width and each.size <= WIDEST for each in weights)
    if not most or len(rows) < 8 or not fitting:
        return None
    bits = [min(row.bits, 8) for _, row, _ in joint.readers]
    learn, held = rows[::2], rows[1::2]
    sets = [order[:count] for order in _orders(learn, weights, most) for count in _counts(most)]
    if not sets:
        return None
    errors = [_error(learn, weights, bits, channels) for channels in sets]
    near = [index for index, error in enumerate(errors) if error <= _NEAR * min(errors)]
    channels = np.sort(sets[min(near, key=lambda index: (sets[index].size, errors[index]))])
    plain, split = (_error(held, weights, bits, each) for each in (channels[:0], channels))
    if plain <= 0 or split > _GAIN * plain:
        return None
    return channels, 10 * float(np.log10(plain / max(split, 1e-30)))


def _counts(most: int) -> list[int]:
    return [count for count in (1, 2, 4, 8, _MOST) if count <= most]


def _orders(rows: Array, weights: list[Array], most: int) -> list[Array]:
    """Channels by falling reach, of the activation and of the weights, where the rest is far below."""
    sizes = [np.abs(rows).max(axis=0), np.max([_reach(each) for each in weights], axis=0)]
    orders = [np.argsort(-size, kind="stable") for size in sizes]
    return [
        order
        for order, size in zip(orders, sizes, strict=True)
        if size[order[0]] > _LARGE * max(float(size[order[most]]), 1e-30)
    ]


def _reach(weight: Array) -> Array:
    """How large each input's weights are, against the typical largest weight of their outputs."""
    middle = np.median(np.abs(weight), axis=0)
    return np.asarray((np.abs(weight) / np.maximum(middle, 1e-30)).max(axis=1))


def _error(rows: Array, weights: list[Array], bits: list[int], channels: Array) -> float:
    """Noise over signal of the products where `channels` go in float."""
    rest, main = rows.copy(), [each.copy() for each in weights]
    rest[:, channels] = 0
    for each in main:
        each[channels] = 0
    coded = on_grid(rest)
    exact = [rows[:, channels] @ each[channels] for each in weights]
    total = 0.0
    for whole, weight, side, width in zip(weights, main, exact, bits, strict=True):
        signal = max(float(np.square(rows @ whole).sum()), 1e-30)
        own = max(float(np.square(rows @ whole - side).sum()), 1e-30)
        total += noise(rest, coded, [weight], [weight], [width]) * own / signal
    return total


def _apply(work: Work, joint: Joint, channels: Array) -> None:
    first = joint.readers[0][2]
    index = work.constant(channels.astype(np.int64))
    picked = work.before(first, "Gather", [joint.value, index], {"axis": -1})
    for fact, _, node in joint.readers:
        weight = matrix(node)
        side = work.constant(np.ascontiguousarray(weight[channels]))
        rest = weight.copy()
        rest[channels] = 0
        turned = node.op_type == "Gemm" and attribute(node, "transB", 0)
        set_weight(work, node, np.ascontiguousarray(rest.T if turned else rest))
        _add(work, node, picked, side)
        work.split.add(fact.name)


def _add(work: Work, node: ir.Node, picked: ir.Value, side: ir.Value) -> None:
    """The float product joins in behind `node`, under the name of its output."""
    output = node.outputs[0]
    readers = list(output.uses())
    product = work.before(node, "MatMul", [picked, side])
    total = work.after(node, "Add", [output, product])
    for reader, index in readers:
        reader.replace_input_with(index, total)
    hand_over(output, total)
    output.type = output.shape = None
