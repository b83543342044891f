"""What is known while channels are followed through a graph: labels, joins, frozen channels, edits.

Every output channel of every layer is an *atom* (a number). A tensor's axis carries a label: the
atom behind each of its positions. Operators pass labels on, join atoms that can only be removed
together, or freeze atoms that cannot be removed. What is not understood freezes: never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.graph.constants import tensor_of
from studio.graph.model import Dim, Shape

if TYPE_CHECKING:
    import onnx_ir as ir

Ids = NDArray[np.int64]
Label = tuple[Ids | None, ...]
Size = Dim | Ids  # one element of a shape vector: a number, a symbol, unknown, or the length of an axis
Sizes = tuple[Size, ...]
MAX_ATOMS = 1 << 22  # longest axis that is followed: a flattened tensor beyond it is frozen


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Input `index` of `node` is a constant whose `axis` loses the positions of removed atoms."""

    node: ir.Node
    index: int
    axis: int
    ids: Ids


@dataclass(frozen=True, slots=True, eq=False)
class SplitSizes:
    """A Split along channels: the length of each output follows what is left of it."""

    node: ir.Node
    parts: tuple[Ids, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ShapeVector:
    """A constant shape at input `index`: `counts` gives the positions that follow channels."""

    node: ir.Node
    index: int
    template: tuple[int, ...]
    counts: tuple[tuple[int, Ids], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ConvGroups:
    """A grouped convolution: one atom per group that is left."""

    node: ir.Node
    ids: Ids


@dataclass(frozen=True, slots=True, eq=False)
class SliceBounds:
    """A Slice along channels: positions `start`..`stop` of `axis` (of `rank`), which is labelled `ids`."""

    node: ir.Node
    axis: int
    rank: int
    ids: Ids
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """A Gather along channels with constant `indices` into an axis labelled `ids`."""

    node: ir.Node
    ids: Ids
    indices: Ids


Edit = Cut | SplitSizes | ShapeVector | ConvGroups | SliceBounds | Picked


class Trace:
    """The state of one walk. `shapes` gives shapes of tensors by name, over what the graph states."""

    def __init__(self, shapes: Mapping[str, Shape | None], opset: int) -> None:
        self.shapes = shapes
        self.opset = opset
        self.labels: dict[ir.Value, Label] = {}
        self.sizes: dict[ir.Value, Sizes] = {}
        self.edges: list[tuple[Ids, Ids]] = []
        self.frozen: list[tuple[Ids, str]] = []
        self.taps: list[Ids] = []
        self.edits: list[Edit] = []
        self.members: dict[ir.Node, Ids] = {}
        self.followers: dict[ir.Node, Ids] = {}
        self.tied: dict[ir.Value, tuple[Ids | None, Ids | None]] = {}
        self.atoms = 0

    def fresh(self, count: int) -> Ids:
        """`count` new atoms."""
        ids = np.arange(self.atoms, self.atoms + count, dtype=np.int64)
        self.atoms += count
        return ids

    def fixed(self, count: int, reason: str) -> Ids:
        """`count` atoms that stand for channels which no layer makes and which must stay."""
        ids = self.fresh(count)
        self.frozen.append((ids, reason))
        return ids

    def join(self, first: Ids, second: Ids) -> None:
        """Position by position, both go or both stay."""
        if first is not second:
            self.edges.append((first, second))

    def freeze(self, ids: Ids | None, reason: str) -> None:
        """These atoms must stay; `reason` completes "it cannot lose channels: …"."""
        if ids is not None:
            self.frozen.append((ids, reason))

    def freeze_value(self, value: ir.Value | None, reason: str) -> None:
        """Every atom that the tensor's axes or, for a shape vector, its elements depend on must stay."""
        if value is None:
            return
        for ids in self.labels.get(value, ()):
            self.freeze(ids, reason)
        for size in self.sizes.get(value, ()):
            if isinstance(size, np.ndarray):
                self.freeze(size, reason)

    def put(self, value: ir.Value, label: Sequence[Ids | None]) -> None:
        """Label the axes of a tensor; a tensor without labels is fixed."""
        if any(ids is not None for ids in label):
            self.labels[value] = tuple(label)

    def ids(self, value: ir.Value | None, axis: int) -> Ids | None:
        """The label of one axis (negative counts from the end), None where it is fixed."""
        label = self.labels.get(value) if value is not None else None
        return label[axis] if label is not None and -len(label) <= axis < len(label) else None

    def dims(self, value: ir.Value) -> tuple[Dim, ...] | None:
        """The tensor's shape; labelled axes are always numbers. None where the rank is unknown."""
        stated = self._stated(value)
        label = self.labels.get(value)
        if label is None:
            return stated
        if stated is None or len(stated) != len(label):
            stated = (None,) * len(label)
        return tuple(dim if ids is None else len(ids) for dim, ids in zip(stated, label, strict=True))

    def rank(self, value: ir.Value) -> int | None:
        label = self.labels.get(value)
        if label is not None:
            return len(label)
        stated = self._stated(value)
        return None if stated is None else len(stated)

    def vector(self, value: ir.Value | None) -> Sizes | None:
        """The elements of a shape vector, constant or computed from shapes; None where unknown."""
        if value is None:
            return None
        return self.sizes.get(value) or integers(value)

    def _stated(self, value: ir.Value) -> tuple[Dim, ...] | None:
        tensor = constant(value)
        if tensor is not None:
            return tuple(int(dim) for dim in tensor.shape.numpy())
        known = self.shapes.get(value.name or "")
        if known is not None:
            return known
        if value.shape is None:
            return None
        return tuple(dim if isinstance(dim, int) else dim.value for dim in value.shape)


def constant(value: ir.Value | None) -> ir.TensorProtocol | None:
    """The tensor of a constant, seen through Identity nodes (exporters share initializers so)."""
    for _ in range(16):
        if value is None:
            return None
        tensor = tensor_of(value)
        node = value.producer()
        if tensor is not None or node is None or node.op_type != "Identity":
            return tensor
        value = node.inputs[0]
    return None


def integers(value: ir.Value | None) -> tuple[int, ...] | None:
    """The elements of a constant integer tensor of rank 0 or 1, None where it is none."""
    tensor = constant(value)
    if tensor is None or not tensor.dtype.is_integer() or len(tensor.shape) > 1 or tensor.size > 4096:
        return None
    return tuple(int(each) for each in tensor.numpy().reshape(-1))


def integer(node: ir.Node, name: str, default: int) -> int:
    """An integer attribute."""
    attribute = node.attributes.get(name)
    return default if attribute is None or attribute.is_ref() else attribute.as_int()


def called(node: ir.Node) -> str:
    """The node in words: op type and name."""
    return f"{node.op_type} `{node.name}`" if node.name else node.op_type
