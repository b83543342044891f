"""Frozen facts about a network: they cross threads and processes, the graph stays where it was read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir as ir

Dim = int | str | None
Shape = tuple[Dim, ...]
_CLIPS = frozenset({"Relu", "Clip"})


@dataclass(frozen=True, slots=True)
class TensorFact:
    """One tensor: its ONNX dtype name (`FLOAT`, `INT8`, …) and shape; unknown shape is `None`."""

    name: str
    dtype: str
    shape: Shape | None


@dataclass(frozen=True, slots=True)
class NodeFact:
    """One node of the main graph. `name` is unique (made up where the file has none).

    `inputs` holds names of computed tensors and graph inputs only; constants are counted in
    `params` (elements) and `bytes`. `macs` is per sample (batch 1), None where a shape is unknown.
    """

    index: int
    name: str
    op: str
    domain: str
    scope: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: int
    bytes: int
    macs: int | None
    attributes: tuple[tuple[str, str], ...] = ()
    body: int = 0  # nodes inside its subgraphs or function body


@dataclass(frozen=True, slots=True)
class LayerFact:
    """A node whose constant weight can carry bits and sparsity (Conv, ConvTranspose, Gemm, MatMul).

    `weight` and `bias` name initializers. `channel_axis` is the axis of output channels in the
    weight, `input_axis` that of input channels. `bits` is the stored width of the weight.
    """

    name: str
    op: str
    node: int
    weight: str
    bias: str | None
    weight_shape: tuple[int, ...]
    channel_axis: int
    input_axis: int
    groups: int
    params: int
    bytes: int
    macs: int | None
    bits: int
    group: str
    prunable: bool
    why_not_prunable: str = ""

    @property
    def out_channels(self) -> int:
        size = self.weight_shape[self.channel_axis]
        return size * self.groups if self.op == "ConvTranspose" else size

    @property
    def depthwise(self) -> bool:
        return self.groups > 1 and self.groups == self.out_channels


@dataclass(frozen=True, slots=True)
class GroupFact:
    """Layers whose output channels can only be removed together.

    `members` produce the coupled channels; `followers` lose input channels when they go.
    `channels` is the coupled width; `why_not` says in plain words why it cannot be pruned.
    """

    name: str
    members: tuple[str, ...]
    followers: tuple[str, ...]
    channels: int
    prunable: bool
    why_not: str = ""


@dataclass(frozen=True)
class Facts:
    """All that is known about a model without its graph. `key` is the sha256 of its content."""

    key: str
    name: str
    path: str
    format: str
    file_bytes: int
    ir_version: int
    opsets: tuple[tuple[str, int], ...]
    producer: str
    inputs: tuple[TensorFact, ...]
    outputs: tuple[TensorFact, ...]
    tensors: tuple[TensorFact, ...]
    nodes: tuple[NodeFact, ...]
    layers: tuple[LayerFact, ...]
    groups: tuple[GroupFact, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, LayerFact]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def shapes(self) -> dict[str, Shape | None]:
        """Shape of every tensor by its name, None where it is not known."""
        return {tensor.name: tensor.shape for tensor in self.tensors}

    @cached_property
    def group_of(self) -> dict[str, GroupFact]:
        return {group.name: group for group in self.groups}

    @cached_property
    def index_of(self) -> dict[str, int]:
        """Node index by name."""
        return {node.name: node.index for node in self.nodes}

    @cached_property
    def tensor_of(self) -> dict[str, TensorFact]:
        """Every named tensor whose shape is known or that is an input or output."""
        return {tensor.name: tensor for tensor in (*self.inputs, *self.tensors, *self.outputs)}

    @cached_property
    def uses(self) -> Counter[str]:
        """How many nodes read each tensor."""
        return Counter(name for node in self.nodes for name in dict.fromkeys(node.inputs))

    @cached_property
    def ops(self) -> dict[str, tuple[int, int, int]]:
        """Of each op: how many nodes, the letters of their names and tensors (two more for each name), and
        the bytes of their constants that are no layer's.
        """
        layers = {layer.node for layer in self.layers}
        found: dict[str, tuple[int, int, int]] = {}
        for node in self.nodes:
            count, letters, size = found.get(node.op, (0, 0, 0))
            letters += sum(len(name) + 2 for name in (node.name, *node.inputs, *node.outputs))
            found[node.op] = count + 1, letters, size + (0 if node.index in layers else node.bytes)
        return found

    @cached_property
    def pooled(self) -> frozenset[str]:
        """Layers whose output nothing but a MaxPool takes, a Relu or Clip in between left out."""
        readers: dict[str, list[NodeFact]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                readers.setdefault(name, []).append(node)
        told = {each.name for each in self.outputs}
        made = {node.index: node.outputs[0] for node in self.nodes if node.outputs}
        found = set()
        for layer in self.layers:
            name = made.get(layer.node, "")
            while len(users := readers.get(name, [])) == 1 and users[0].op in _CLIPS and name not in told:
                name = users[0].outputs[0]
            if len(users) == 1 and users[0].op == "MaxPool" and name not in told:
                found.add(layer.name)
        return frozenset(found)

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Pairs (producer, consumer) of node indices, without duplicates, in graph order."""
        made = {name: node.index for node in self.nodes for name in node.outputs if name}
        found = {
            (made[name], node.index): None for node in self.nodes for name in node.inputs if name in made
        }
        return tuple(found)

    @property
    def params(self) -> int:
        return sum(node.params for node in self.nodes)

    @property
    def bytes(self) -> int:
        return sum(node.bytes for node in self.nodes)

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates per sample; None where a layer's are not known: a part is no total."""
        if not self.layers or any(layer.macs is None for layer in self.layers):
            return None
        return sum(node.macs for node in self.nodes if node.macs is not None)

    @property
    def opset(self) -> int:
        return dict(self.opsets).get("", 0)


@dataclass(frozen=True)
class Model:
    """Facts together with the graph they describe. Nobody mutates `ir`: passes work on a clone."""

    facts: Facts
    ir: ir.Model = field(compare=False, repr=False)
