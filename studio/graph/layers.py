"""Which nodes are layers: those whose constant weight can carry bits and sparsity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from studio.graph.constants import Origin, elements, origin_of, stored_bits, stored_bytes, tensor_of
from studio.graph.model import LayerFact, NodeFact
from studio.graph.shapes import Shapes

if TYPE_CHECKING:
    import onnx_ir as ir

OPS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})


@dataclass(frozen=True, slots=True)
class Weight:
    """A layer's weight: the value it consumes, what that is stored as, and its shape."""

    value: ir.Value
    origin: Origin
    shape: tuple[int, ...]


def weight_of(node: ir.Node, shapes: Shapes | None = None) -> Weight | None:
    """The constant weight of a layer's node, followed through Identity, Cast and DequantizeLinear.

    A weight that other constant arithmetic unpacks (our own low-bit files) counts as well; its
    shape is then taken from `shapes`. None where the node is no layer.
    """
    if node.op_type not in OPS or node.domain not in ("", "ai.onnx") or len(node.inputs) < 2:
        return None
    value = node.inputs[1]
    origin = origin_of(value)
    if value is None or origin is None or not origin.leaves:
        return None
    shape = _weight_shape(value, origin, shapes)
    if shape is None or len(shape) < 2 or 0 in shape or _bits(origin, shape) == 0:
        return None
    return Weight(value, origin, shape)


def layers_of(
    nodes: Sequence[ir.Node], facts: Sequence[NodeFact], shapes: Shapes
) -> tuple[tuple[LayerFact, ...], tuple[str, ...]]:
    """The layers in graph order, and notes on what kept a node from being one or makes it special."""
    found: list[LayerFact] = []
    notes: list[str] = []
    owner: dict[str, str] = {}
    for node, fact in zip(nodes, facts, strict=True):
        weight = weight_of(node, shapes)
        if weight is None:
            continue
        if not weight.origin.plain and _bits(weight.origin, weight.shape) > 16:
            notes.append(f"{fact.name}: its weight is computed by {weight.origin.ops[0]}; left as it is")
            continue
        layer = _layer(node, fact, weight)
        first = owner.setdefault(layer.weight, layer.name)
        if first != layer.name:
            notes.append(f"{layer.name} shares the weight {layer.weight} with {first}; it is counted once")
        found.append(layer)
    return tuple(found), tuple(notes)


def axes_of(node: ir.Node, rank: int) -> tuple[int, int]:
    """Axes of the output and of the input channels in a layer's weight of `rank` dimensions."""
    if node.op_type == "Conv":
        return 0, 1
    if node.op_type == "ConvTranspose":
        return 1, 0
    if node.op_type == "Gemm" and _int(node, "transB", 0):
        return 0, 1
    return rank - 1, rank - 2


def groups_of(node: ir.Node) -> int:
    """The `group` attribute of a convolution; 1 for every other op."""
    return max(_int(node, "group", 1), 1) if node.op_type in ("Conv", "ConvTranspose") else 1


def _layer(node: ir.Node, fact: NodeFact, weight: Weight) -> LayerFact:
    channel_axis, input_axis = axes_of(node, len(weight.shape))
    main = weight.origin.main
    return LayerFact(
        name=fact.name,
        op=node.op_type,
        node=fact.index,
        weight=str(main.name),
        bias=_bias(node),
        weight_shape=weight.shape,
        channel_axis=channel_axis,
        input_axis=input_axis,
        groups=groups_of(node),
        params=prod(weight.shape),
        bytes=sum(stored_bytes(leaf) for leaf in weight.origin.leaves),
        macs=fact.macs,
        bits=_bits(weight.origin, weight.shape),
        group="",
        prunable=False,
        why_not_prunable="its channels are not coupled to anything that was understood",
    )


def _weight_shape(value: ir.Value, origin: Origin, shapes: Shapes | None) -> tuple[int, ...] | None:
    if origin.plain:
        tensor = tensor_of(origin.main)
        return tuple(int(dim) for dim in tensor.shape if isinstance(dim, int)) if tensor else None
    shape = shapes.of(str(value.name)) if shapes else None
    known = tuple(dim for dim in shape or () if isinstance(dim, int))
    return known if shape and len(known) == len(shape) else None


def _bits(origin: Origin, shape: tuple[int, ...]) -> int:
    """Stored bits per weight; for unpacked weights what all their bytes come to, rounded up."""
    if origin.plain:
        return stored_bits(origin.main) if elements(origin.main) else 0
    return -(-8 * stored_bytes(origin.main) // prod(shape))


def _bias(node: ir.Node) -> str | None:
    origin = origin_of(node.inputs[2]) if len(node.inputs) > 2 else None
    return str(origin.main.name) if origin and origin.leaves else None


def _int(node: ir.Node, name: str, default: int) -> int:
    attribute = node.attributes.get(name)
    if attribute is None or attribute.is_ref() or not isinstance(attribute.value, int):
        return default
    return attribute.value
