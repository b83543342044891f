"""How long single layers take on a board, by their shape: what is measured once, and used by every net.

A layer's time is kept in three parts. `core` is its kernel. `entry` and `exit` are what stands at the border
to layers of the other kind: quantizing and dequantizing, and bringing values into the layout that the kernel
wants. Between two layers of one kind neither is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from studio.graph.model import Facts, LayerFact

FLOAT, INT8, DYNAMIC = "float", "int8", "dynamic"
# Shares of channels that are measured besides all of them; between them times are interpolated.
SHARES = (0.75, 0.5, 0.25)
_STEP = 16
_WIDE = 32


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one layer at batch 1."""

    core: float
    entry: float = 0.0
    exit: float = 0.0

    def towards(self, other: Cost, share: float) -> Cost:
        """So far on the way from this cost to the other one."""
        return Cost(
            self.core + (other.core - self.core) * share,
            self.entry + (other.entry - self.entry) * share,
            self.exit + (other.exit - self.exit) * share,
        )


@dataclass(frozen=True, slots=True)
class LayerShape:
    """All that decides a layer's time on a given board.

    `input` and `weight` are shapes as in the model (batch 1), `outputs` and `inputs` say which axes of
    `weight` hold output and input channels, `attributes` are the node's that matter. `codes` is the type
    of 8-bit activations.
    """

    op: str
    kind: str
    input: tuple[int, ...]
    weight: tuple[int, ...]
    outputs: int
    inputs: int
    groups: int = 1
    bias: bool = False
    attributes: tuple[tuple[str, str], ...] = ()
    codes: str = "uint8"

    @property
    def key(self) -> str:
        """Names the shape in a store; equal for equal shapes of any net."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:20]

    @property
    def depthwise(self) -> bool:
        return self.groups > 1 and self.groups == self.weight[self.outputs]

    @property
    def size(self) -> int:
        """Weights of the layer, in elements."""
        count = 1
        for length in self.weight:
            count *= length
        return count

    def cut(self, out: float, read: float) -> LayerShape:
        """The layer with these shares of its output channels, and of those that it reads."""
        if self.depthwise:
            kept = _kept(self.groups, out)
            weight = _with(self.weight, self.outputs, kept)
            return replace(self, weight=weight, groups=kept, input=_with(self.input, self._channels, kept))
        if self.groups > 1:
            return self
        weight = _with(self.weight, self.outputs, _kept(self.weight[self.outputs], out))
        few = _kept(self.weight[self.inputs], read)
        weight = _with(weight, self.inputs, few)
        return replace(self, weight=weight, input=_with(self.input, self._channels, few))

    @property
    def _channels(self) -> int:
        return 1 if self.op.startswith("Conv") else len(self.input) - 1


Curve = tuple[tuple[float, Cost], ...]


@dataclass(frozen=True, slots=True)
class LayerLine:
    """One layer of a net on a board: for each kind that is known there, costs by the share of its work.

    `before` and `behind` name the layers whose values it reads and that read its own; "" stands for the
    net's own inputs and outputs, and for ops that know no 8-bit values.
    """

    layer: str
    curves: tuple[tuple[str, Curve], ...]
    before: tuple[str, ...]
    behind: tuple[str, ...]

    def cost(self, kind: str, share: float = 1.0) -> Cost | None:
        """Linear between the shares that were measured; None where the kind is not known."""
        known = dict(self.curves).get(kind, ())
        if not known:
            return None
        for (low, first), (high, second) in pairwise(known):
            if low <= share <= high:
                return first.towards(second, (share - low) / (high - low))
        return known[0][1] if share < known[0][0] else known[-1][1]


@dataclass(frozen=True, slots=True)
class LayerTable:
    """What is known of a net on one board, on `threads` threads. Times in ms.

    `float_ms` and `int8_ms` are of the whole net there, undisturbed, as it is and at 8 bits (0: not
    measured); `float_rest`, `int8_rest` what the layers' sum misses of them, `int8_layers` how many run on
    integers at 8 bits. `invalid` says why times there mean nothing.
    """

    board: str
    model: str
    runtime: str
    threads: int
    layers: tuple[LayerLine, ...]
    float_ms: float = 0.0
    int8_ms: float = 0.0
    float_rest: float = 0.0
    int8_rest: float = 0.0
    int8_layers: int = 0
    invalid: str = ""


def shape_of(facts: Facts, layer: LayerFact, kind: str, codes: str) -> LayerShape | None:
    """The layer's shape at batch 1; None where the model does not tell it, or the op is not known here."""
    node = facts.nodes[layer.node]
    known = facts.shapes.get(node.inputs[0]) if node.inputs else None
    if not known or layer.op not in _RANKS or len(known) not in _RANKS[layer.op]:
        return None
    first = known[0] if isinstance(known[0], int) else 1
    rest = tuple(size for size in known[1:] if isinstance(size, int) and size > 0)
    if len(rest) != len(known) - 1:
        return None
    told = tuple(pair for pair in node.attributes if pair[0] != "group")
    bias = layer.bias is not None or layer.op.startswith("Conv")
    return LayerShape(
        layer.op,
        kind,
        (first, *rest),
        layer.weight_shape,
        layer.channel_axis,
        layer.input_axis,
        layer.groups,
        bias,
        told,
        codes if kind == INT8 else "",
    )


def stops(facts: Facts, layer: LayerFact, kind: str, codes: str) -> Iterator[tuple[float, LayerShape]]:
    """(share of the layer's work, shape), the whole layer first, then with fewer channels where it can."""
    whole = shape_of(facts, layer, kind, codes)
    if whole is None:
        return
    yield 1.0, whole
    group = facts.group_of.get(layer.group)
    reads = any(layer.name in each.followers for each in facts.groups if each.prunable)
    gives = layer.prunable and group is not None and group.prunable
    least = whole.size
    for share in SHARES if reads or gives else ():
        fewer = whole.cut(share if gives else 1.0, share if reads else 1.0)
        if fewer.size < least:
            least = fewer.size
            yield fewer.size / whole.size, fewer


def kinds(layer: LayerFact, dynamic: bool) -> tuple[str, ...]:
    """The kinds that a layer can run as; `dynamic` where the target has ranges found while running."""
    if layer.op == "ConvTranspose":
        return (FLOAT,)
    if dynamic and layer.op in ("MatMul", "Gemm"):
        return (FLOAT, INT8, DYNAMIC)
    return (FLOAT, INT8)


def neighbours(facts: Facts, through: Collection[str]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """For each layer, as in `LayerLine`, who is (before, behind) it; values go through ops of `through`."""
    layers = {layer.node: layer.name for layer in facts.layers}
    before: dict[str, tuple[str, ...]] = {}
    behind: dict[str, dict[str, None]] = {layer.name: {} for layer in facts.layers}
    sources: dict[str, dict[str, None]] = {}
    for node in facts.nodes:
        seen = {name: None for value in node.inputs for name in sources.get(value, {"": None})}
        if node.index in layers:
            before[layers[node.index]] = tuple(seen)
        if node.index in layers or node.op not in through:
            reader = layers.get(node.index, "")
            for name in filter(None, seen):
                behind[name][reader] = None
            seen = {reader: None}
        sources.update(dict.fromkeys(node.outputs, seen))
    for output in facts.outputs:
        for name in filter(None, sources.get(output.name, {})):
            behind[name][""] = None
    return {name: (before[name], tuple(behind[name])) for name in behind}


_RANKS = {"Conv": (3, 4, 5), "ConvTranspose": (3, 4, 5), "Gemm": (2,), "MatMul": (2, 3, 4)}


def _kept(width: int, share: float) -> int:
    """Channels that stay: whole blocks, as pruning leaves them."""
    if share >= 1.0:
        return width
    step = _STEP if width >= _WIDE else 1
    return max(min(width, round(width * share / step) * step), min(step, width))


def _with(shape: tuple[int, ...], axis: int, size: int) -> tuple[int, ...]:
    return (*shape[:axis], size, *shape[axis + 1 :])
