"""How operators that grow axes (pads, resizes, repeats, pixel shuffles) pass channels on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from studio.graph.coupling.elementwise import freeze_inputs
from studio.graph.coupling.trace import (
    MAX_ATOMS,
    Ids,
    ShapeVector,
    Trace,
    called,
    constant,
    integer,
    integers,
)
from studio.graph.coupling.views import freeze_axes

if TYPE_CHECKING:
    import onnx_ir as ir


def tile(t: Trace, node: ir.Node) -> None:
    """Tile: the label is repeated like the channels are."""
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    repeats = integers(node.inputs[1])
    if label is None or repeats is None or len(repeats) != len(label):
        return freeze_inputs(t, node, f"{called(node)} repeats by numbers that cannot be followed")
    pairs = list(zip(label, repeats, strict=True))
    if any(ids is not None and not 0 < len(ids) * count <= MAX_ATOMS for ids, count in pairs):
        return freeze_inputs(t, node, f"{called(node)} repeats them too often")
    t.put(
        node.outputs[0], [ids if ids is None or count == 1 else np.tile(ids, count) for ids, count in pairs]
    )
    return None


def pad(t: Trace, node: ir.Node) -> None:
    """Padding of other axes passes; padded channels must stay."""
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    if x is None or label is None:
        return None
    given = node.attributes.get("pads")
    pads = tuple(given.as_ints()) if given is not None else integers((*node.inputs, None)[1])
    if pads is None or len(pads) != 2 * len(label) or len(node.inputs) > 3:
        return freeze_inputs(t, node, f"{called(node)} pads by lengths that cannot be followed")
    padded = [axis for axis in range(len(label)) if pads[axis] or pads[axis + len(label)]]
    freeze_axes(t, node, x, padded, "pads them")
    t.put(node.outputs[0], [None if axis in padded else ids for axis, ids in enumerate(label)])
    return None


def resize(t: Trace, node: ir.Node) -> None:
    """Resize and Upsample: channels pass where their scale is 1."""
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    if x is None or label is None:
        return None
    sizes = t.vector(node.inputs[3]) if len(node.inputs) > 3 else None
    if "axes" in node.attributes or (sizes is None and not _unscaled(node, label)):
        return freeze_inputs(t, node, f"{called(node)} scales by factors that cannot be followed")
    if sizes is not None and not _sized(t, node, label, sizes):
        return freeze_inputs(t, node, f"{called(node)} takes sizes that cannot be followed")
    t.put(node.outputs[0], label)
    return None


def _unscaled(node: ir.Node, label: Sequence[Ids | None]) -> bool:
    given = node.attributes.get("scales")
    tensor = None
    for index in (2, 1):
        value = node.inputs[index] if len(node.inputs) > index else None
        tensor = tensor or constant(value)
    scales = given.as_floats() if given is not None else tensor.numpy().reshape(-1) if tensor else ()
    return len(scales) == len(label) and all(
        ids is None or scale == 1 for ids, scale in zip(label, scales, strict=True)
    )


def _sized(t: Trace, node: ir.Node, label: Sequence[Ids | None], sizes: Sequence[object]) -> bool:
    """Resize by sizes: a constant one gets the new number of channels, a computed one has it already."""
    if len(sizes) != len(label):
        return False
    counts = []
    for axis, (ids, size) in enumerate(zip(label, sizes, strict=True)):
        if ids is None and isinstance(size, np.ndarray):
            return False
        if ids is not None and size is not ids:
            if size != len(ids):
                return False
            counts.append((axis, ids))
    fixed = [size for size in sizes if isinstance(size, int)]
    if counts and len(fixed) < len(sizes):
        return False
    if counts:
        t.edits.append(ShapeVector(node, 3, tuple(fixed), tuple(counts)))
    return True


def expand(t: Trace, node: ir.Node) -> None:
    """Expand: labelled axes pass; a constant shape that names their number is rewritten."""
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    wanted = t.vector(node.inputs[1])
    if label is None or wanted is None or len(wanted) > len(label):
        return freeze_inputs(t, node, f"{called(node)} cannot be followed")
    offset = len(label) - len(wanted)
    counts = []
    for axis, size in enumerate(wanted):
        ids = label[axis + offset]
        if isinstance(size, np.ndarray) and size is not ids:
            return freeze_inputs(t, node, f"{called(node)} cannot be followed")
        if ids is not None and size is not ids and size != 1:
            counts.append((axis, ids))
    fixed = tuple(size for size in wanted if isinstance(size, int))
    if any(fixed[axis] != len(ids) for axis, ids in counts) or (counts and len(fixed) < len(wanted)):
        return freeze_inputs(t, node, f"{called(node)} spreads them")
    if counts:
        t.edits.append(ShapeVector(node, 1, fixed, tuple(counts)))
    t.put(node.outputs[0], label)
    return None


def depth_to_space(t: Trace, node: ir.Node) -> None:
    """All channels that make one output channel go together."""
    ids = t.ids(node.inputs[0], 1)
    block = integer(node, "blocksize", 1) ** 2
    if ids is None or len(ids) % block:
        return freeze_inputs(t, node, f"{called(node)} cannot be followed")
    mode = node.attributes.get("mode")
    column_row = mode is not None and mode.as_string() == "CRD"
    rows = ids.reshape(-1, block) if column_row else ids.reshape(block, -1).T
    for column in range(1, block):
        t.join(rows[:, 0], rows[:, column])
    t.put(node.outputs[0], (t.ids(node.inputs[0], 0), np.ascontiguousarray(rows[:, 0]), None, None))
    return None
