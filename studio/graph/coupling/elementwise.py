"""How operators that work position by position, pool or normalize pass channels on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.graph.coupling.trace import Cut, Ids, Trace, called, constant, integer, integers

if TYPE_CHECKING:
    import onnx_ir as ir


def same(t: Trace, node: ir.Node) -> None:
    """One data tensor in, one of the same shape out."""
    x = node.inputs[0]
    if x is not None and x in t.labels:
        t.put(node.outputs[0], t.labels[x])


def elementwise(t: Trace, node: ir.Node) -> None:
    """Any number of tensors, broadcast against each other: labelled axes that meet are coupled."""
    values = [value for value in node.inputs if value is not None]
    if not any(value in t.labels for value in values):
        return None
    ranks = [t.rank(value) for value in values]
    known = [rank for rank in ranks if rank is not None]
    if len(known) < len(ranks):
        return freeze_inputs(t, node, f"{called(node)} joins them with a tensor of unknown shape")
    rank = max(known)
    label = [_meet(t, node, axis - rank) for axis in range(rank)]
    t.put(node.outputs[0], label)
    return None


def _meet(t: Trace, node: ir.Node, axis: int) -> Ids | None:
    """The label of broadcast axis `axis` (negative), after coupling all that meets there."""
    found = [ids for value in node.inputs if (ids := t.ids(value, axis)) is not None]
    if not found:
        return None
    width = max(len(ids) for ids in found)
    wide = [ids for ids in found if len(ids) == width]
    for ids in found:
        if len(ids) != width:
            t.freeze(ids, f"{called(node)} spreads them over more channels")
    for ids in wide[1:]:
        t.join(wide[0], ids)
    for index, value in enumerate(node.inputs):
        if value is not None and t.ids(value, axis) is None:
            _meet_fixed(t, node, index, value, axis, wide[0])
    return wide[0]


def _meet_fixed(t: Trace, node: ir.Node, index: int, value: ir.Value, axis: int, ids: Ids) -> None:
    dims = t.dims(value) or ()
    dim = dims[axis] if -axis <= len(dims) else 1
    if dim == 1:
        return
    if constant(value) is not None and dim == len(ids):
        t.edits.append(Cut(node, index, len(dims) + axis, ids))
    else:
        t.freeze(ids, f"{called(node)} combines them with `{value.name}`, whose width is fixed")


def pool(t: Trace, node: ir.Node) -> None:
    """Pools keep batch and channels and slide over the rest."""
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    if label is None:
        return None
    for ids in label[2:]:
        t.freeze(ids, f"{called(node)} pools over them")
    if any(value.uses() or value.is_graph_output() for value in node.outputs[1:]):
        return freeze_inputs(t, node, f"{called(node)} also tells positions among them")
    t.put(node.outputs[0], (*label[:2], *(None,) * (len(label) - 2)))
    return None


def across(t: Trace, node: ir.Node) -> None:
    """Softmax and its kind: what they work across must stay, the rest passes."""
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    if label is None:
        return
    for axis in _worked(t, node, len(label)):
        t.freeze(label[axis], f"{called(node)} works across them")
    t.put(node.outputs[0], label)
    for value in node.inputs[1:]:
        t.freeze_value(value, f"{called(node)} has computed parameters")


def _worked(t: Trace, node: ir.Node, rank: int) -> range:
    axis = integer(node, "axis", _default_axis(t, node)) % rank
    single = node.op_type == "LpNormalization" or (
        node.op_type in ("Softmax", "LogSoftmax", "Hardmax") and t.opset >= 13
    )
    return range(axis, axis + 1) if single else range(axis, rank)


def _default_axis(t: Trace, node: ir.Node) -> int:
    if node.op_type in ("Softmax", "LogSoftmax", "Hardmax"):
        return -1 if t.opset >= 13 else 1
    return -1


def local_response(t: Trace, node: ir.Node) -> None:
    """LRN and GroupNormalization mix neighbouring channels."""
    x = node.inputs[0]
    for ids in t.labels.get(x, ())[1:] if x is not None else ():
        t.freeze(ids, f"{called(node)} works across them")
    same(t, node)


def reduce(t: Trace, node: ir.Node) -> None:
    """Reductions: the reduced axes must stay, the others pass (at their place or moved up)."""
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    if label is None:
        return None
    axes = axes_of(node, len(label))
    if axes is None:
        return freeze_inputs(t, node, f"{called(node)} reduces over axes that are computed")
    for axis in axes:
        t.freeze(label[axis], f"{called(node)} works across them")
    if integer(node, "keepdims", 1):
        t.put(node.outputs[0], [None if axis in axes else ids for axis, ids in enumerate(label)])
    else:
        t.put(node.outputs[0], [ids for axis, ids in enumerate(label) if axis not in axes])
    return None


def axes_of(node: ir.Node, rank: int) -> tuple[int, ...] | None:
    """The axes of a reduction, from attribute or input 1; all where none are given."""
    attribute = node.attributes.get("axes")
    if attribute is not None:
        return tuple(axis % rank for axis in attribute.as_ints())
    if len(node.inputs) < 2 or node.inputs[1] is None:
        return () if integer(node, "noop_with_empty_axes", 0) else tuple(range(rank))
    axes = integers(node.inputs[1])
    return None if axes is None else tuple(axis % rank for axis in axes)


def quantize(t: Trace, node: ir.Node) -> None:
    """QuantizeLinear and DequantizeLinear: scales per tensor pass, scales per channel are cut."""
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    if label is None:
        return None
    axis = integer(node, "axis", 1)
    ids = label[axis] if -len(label) <= axis < len(label) else None
    for index, value in enumerate(node.inputs[1:], start=1):
        tensor = constant(value)
        if tensor is not None and tensor.size > 1 and ids is not None and len(tensor.shape) == 1:
            t.edits.append(Cut(node, index, 0, ids))
        elif value is not None and (tensor is None or tensor.size > 1):
            return freeze_inputs(t, node, f"the scales of {called(node)} are computed or per block")
    t.put(node.outputs[0], label)
    return None


def freeze_inputs(t: Trace, node: ir.Node, reason: str) -> None:
    """Everything that flows into the node must stay."""
    for value in node.inputs:
        t.freeze_value(value, reason)


def freeze_values(t: Trace, values: Sequence[ir.Value | None], reason: str) -> None:
    """Everything that these tensors depend on must stay."""
    for value in values:
        t.freeze_value(value, reason)
