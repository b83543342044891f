"""How operators that move, join, cut or measure axes pass channels on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from studio.graph.coupling.elementwise import axes_of, freeze_inputs
from studio.graph.coupling.trace import (
    Cut,
    Ids,
    Picked,
    SliceBounds,
    SplitSizes,
    Trace,
    called,
    constant,
    integer,
    integers,
)

if TYPE_CHECKING:
    import onnx_ir as ir


def transpose(t: Trace, node: ir.Node) -> None:
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    if label is None:
        return
    attribute = node.attributes.get("perm")
    order = attribute.as_ints() if attribute is not None else range(len(label))[::-1]
    t.put(node.outputs[0], [label[axis] for axis in order])


def squeeze(t: Trace, node: ir.Node) -> None:
    x = node.inputs[0]
    dims = t.dims(x) if x is not None and x in t.labels else None
    if x is None or dims is None:
        return None
    stated = "axes" in node.attributes or (len(node.inputs) > 1 and node.inputs[1] is not None)
    gone = axes_of(node, len(dims)) if stated else tuple(axis for axis, dim in enumerate(dims) if dim == 1)
    if gone is None or (not stated and not all(isinstance(dim, int) for dim in dims)):
        return freeze_inputs(t, node, f"{called(node)} removes axes that are not known")
    freeze_axes(t, node, x, gone, "removes their axis")
    t.put(node.outputs[0], [ids for axis, ids in enumerate(t.labels[x]) if axis not in gone])
    return None


def unsqueeze(t: Trace, node: ir.Node) -> None:
    x = node.inputs[0]
    if x is None or x not in t.labels:
        return None
    given = node.attributes.get("axes")
    axes = tuple(given.as_ints()) if given is not None else integers(node.inputs[1])
    if axes is None:
        return freeze_inputs(t, node, f"{called(node)} adds axes that are not known")
    rank = len(t.labels[x]) + len(axes)
    added = {axis % rank for axis in axes}
    rest = iter(t.labels[x])
    t.put(node.outputs[0], [None if axis in added else next(rest) for axis in range(rank)])
    return None


def concat(t: Trace, node: ir.Node) -> None:
    """Along channels the labels line up by offset; across them they are coupled."""
    values = [value for value in node.inputs if value is not None]
    if not any(value in t.labels for value in values):
        return
    rank = next(len(t.labels[value]) for value in values if value in t.labels)
    axis = integer(node, "axis", 0) % rank
    label: list[Ids | None] = [
        _shared(t, node, values, each) if each != axis else None for each in range(rank)
    ]
    if any(t.ids(value, axis) is not None for value in values):
        label[axis] = _lined_up(t, node, values, axis)
    t.put(node.outputs[0], label)


def _lined_up(t: Trace, node: ir.Node, values: Sequence[ir.Value], axis: int) -> Ids | None:
    parts: list[Ids] = []
    for value in values:
        ids, dims = t.ids(value, axis), t.dims(value)
        dim = dims[axis] if dims is not None else None
        if ids is None and not isinstance(dim, int):
            freeze_inputs(t, node, f"{called(node)} joins them with a tensor of unknown width")
            return None
        if ids is None and isinstance(dim, int):
            ids = t.fixed(dim, f"`{value.name}` has a fixed width")
        if ids is not None:
            parts.append(ids)
    return np.concatenate(parts)


def _shared(t: Trace, node: ir.Node, values: Sequence[ir.Value], axis: int) -> Ids | None:
    found = [ids for value in values if (ids := t.ids(value, axis)) is not None]
    for ids in found[1:]:
        t.join(found[0], ids)
    for index, value in enumerate(node.inputs):
        if found and value is not None and t.ids(value, axis) is None:
            if constant(value) is not None:
                t.edits.append(Cut(node, index, axis, found[0]))
            else:
                t.freeze(found[0], f"{called(node)} joins them with `{value.name}`, whose width is fixed")
    return found[0] if found else None


def split(t: Trace, node: ir.Node) -> None:
    """Along channels each output takes its part; Split's lengths are rewritten later."""
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    if label is None:
        return None
    axis = integer(node, "axis", 0) % len(label)
    ids = label[axis]
    if ids is None:
        for value in node.outputs:
            t.put(value, label)
        return None
    lengths = _lengths(node, len(ids))
    if lengths is None:
        return freeze_inputs(t, node, f"{called(node)} has lengths that are computed")
    parts = tuple(np.split(ids, np.cumsum(lengths)[:-1]))
    for value, part in zip(node.outputs, parts, strict=True):
        t.put(value, (*label[:axis], part, *label[axis + 1 :]))
    t.taps.extend(parts)
    t.edits.append(SplitSizes(node, parts))
    return None


def _lengths(node: ir.Node, width: int) -> tuple[int, ...] | None:
    given = node.attributes.get("split")
    if given is not None:
        return tuple(given.as_ints())
    if len(node.inputs) > 1 and node.inputs[1] is not None:
        lengths = integers(node.inputs[1])
        return lengths if lengths and len(lengths) == len(node.outputs) and sum(lengths) == width else None
    count = len(node.outputs)
    each = -(-width // count)
    last = width - each * (count - 1)
    return (*(each,) * (count - 1), last) if last > 0 else None


def cut_out(t: Trace, node: ir.Node) -> None:
    """Slice: a run of channels with step 1, or any slice of other axes."""
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    if label is None:
        return None
    ranges = _ranges(node, len(label))
    if ranges is None:
        return freeze_inputs(t, node, f"{called(node)} has bounds that are computed")
    out = list(label)
    cut = [axis for axis in ranges if label[axis] is not None]
    for axis in cut:
        ids = label[axis]
        start, stop, step = ranges[axis]
        if ids is None or step != 1 or len(cut) > 1:
            freeze_axes(t, node, x, cut, "takes a part of them")
            continue
        begin, end, _ = slice(start, stop).indices(len(ids))
        out[axis] = ids[begin:end]
        t.taps.append(ids[begin:end])
        t.edits.append(SliceBounds(node, axis, len(label), ids, begin, end))
    if any(step != 1 for axis in cut for step in ranges[axis][2:]) or len(cut) > 1:
        out = [None if axis in cut else ids for axis, ids in enumerate(out)]
    t.put(node.outputs[0], out)
    return None


def _ranges(node: ir.Node, rank: int) -> dict[int, tuple[int, int, int]] | None:
    if "starts" in node.attributes:
        starts, stops = (tuple(node.attributes[name].as_ints()) for name in ("starts", "ends"))
        given = node.attributes.get("axes")
        axes: Sequence[int] | None = given.as_ints() if given is not None else range(len(starts))
        return {a % rank: (b, e, 1) for a, b, e in zip(axes or (), starts, stops, strict=True)}
    inputs = (*node.inputs, None, None)[:5]
    first, last = integers(inputs[1]), integers(inputs[2])
    if first is None or last is None:
        return None
    axes = integers(inputs[3]) if inputs[3] is not None else range(len(first))
    steps = integers(inputs[4]) if inputs[4] is not None else (1,) * len(first)
    if axes is None or steps is None:
        return None
    return {a % rank: (b, e, s) for a, b, e, s in zip(axes, first, last, steps, strict=True)}


def gather(t: Trace, node: ir.Node) -> None:
    """Constant positions out of a labelled axis, or any positions out of another axis."""
    x, positions = node.inputs[0], node.inputs[1]
    label = t.labels.get(x) if x is not None else None
    if label is None or positions in t.labels:
        return freeze_inputs(t, node, f"{called(node)} looks them up")
    axis = integer(node, "axis", 0) % len(label)
    width = t.rank(positions) if positions is not None else None
    ids = label[axis]
    if width is None:
        return freeze_inputs(t, node, f"{called(node)} looks up an unknown number of them")
    taken: list[Ids | None] = [None] * width
    if ids is not None:
        indices = integers(positions)
        if width != 1 or indices is None:
            freeze_axes(t, node, x, (axis,), "picks single ones of them")
        else:
            where = np.array(indices, dtype=np.int64) % len(ids)
            taken = [ids[where]]
            t.taps.append(ids[where])
            t.edits.append(Picked(node, ids, where))
    t.put(node.outputs[0], (*label[:axis], *taken, *label[axis + 1 :]))
    return None


def shape(t: Trace, node: ir.Node) -> None:
    """The dims of a tensor as a shape vector that remembers which of them are channels."""
    x = node.inputs[0]
    dims = t.dims(x) if x is not None else None
    if x is None or dims is None:
        return
    label = t.labels.get(x, (None,) * len(dims))
    start, end = integer(node, "start", 0), integer(node, "end", len(dims))
    sizes = tuple(dim if ids is None else ids for dim, ids in zip(dims, label, strict=True))
    t.sizes[node.outputs[0]] = sizes[slice(start, end)]


def vector(t: Trace, node: ir.Node) -> bool:
    """Follow a shape vector through `node`; False where the op is not one that carries such vectors."""
    given = [t.vector(value) for value in node.inputs]
    sizes = given[0]
    if sizes is None:
        return False
    out = sizes if node.op_type in ("Cast", "Identity", "Squeeze", "Unsqueeze") else None
    if node.op_type == "Concat" and all(part is not None for part in given):
        out = tuple(size for part in given for size in part or ())
    elif node.op_type == "Gather" and len(given) > 1:
        indices = integers(node.inputs[1])
        out = tuple(sizes[index] for index in indices) if indices is not None else None
    elif node.op_type == "Slice":
        ranges = _ranges(node, 1)
        out = sizes[slice(*ranges[0])] if ranges and 0 in ranges else None
    if out is None:
        return False
    t.sizes[node.outputs[0]] = out
    return True


def freeze_axes(t: Trace, node: ir.Node, value: ir.Value | None, axes: Sequence[int], doing: str) -> None:
    """The labels of these axes must stay, because the node does something to them."""
    for axis in axes:
        t.freeze(t.ids(value, axis), f"{called(node)} {doing}")
