"""How reshapes carry labels: which axes merge into which, and what a constant shape must become."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from studio.graph.coupling.elementwise import freeze_inputs
from studio.graph.coupling.trace import MAX_ATOMS, Ids, ShapeVector, Sizes, Trace, called, integer

if TYPE_CHECKING:
    import onnx_ir as ir

Known = int | str  # a length, or a symbol that stands for one
Chunk = tuple[range, range]  # axes in, axes out, that hold the same elements in the same order


def reshape(t: Trace, node: ir.Node) -> None:
    """Reshape with a constant shape, or one computed from shapes."""
    x = node.inputs[0]
    wanted = t.vector(node.inputs[1]) if len(node.inputs) > 1 else None
    if x is None or x not in t.labels:
        return freeze_inputs(t, node, f"{called(node)} takes their number as a length")
    given = symbols(t, x)
    out = _resolved(given, wanted, bool(integer(node, "allowzero", 0))) if given and wanted else None
    if given is None or out is None or wanted is None or not _carry(t, node, given, out):
        return freeze_inputs(t, node, f"{called(node)} cannot be followed")
    _write_back(t, node, given, out, wanted)
    return None


def flatten(t: Trace, node: ir.Node) -> None:
    """Flatten: two merged axes; nothing constant to write back."""
    x = node.inputs[0]
    given = symbols(t, x) if x is not None and x in t.labels else None
    if x is None or x not in t.labels or given is None:
        return freeze_inputs(t, node, f"{called(node)} has an input of unknown shape")
    axis = integer(node, "axis", 1)
    axis = axis + len(given) if axis < 0 else axis
    chunks = (range(axis), range(1)), (range(axis, len(given)), range(1, 2))
    label = [_merged(t, node, given, axes) for axes, _ in chunks]
    t.put(node.outputs[0], label)
    return None


def symbols(t: Trace, value: ir.Value) -> tuple[Known, ...] | None:
    """The tensor's dims with a name of its own for every unknown one."""
    dims = t.dims(value)
    if dims is None:
        return None
    return tuple(f"?{axis}" if dim is None else dim for axis, dim in enumerate(dims))


def _resolved(given: tuple[Known, ...], wanted: Sizes, allow_zero: bool) -> tuple[Known, ...] | None:
    out: list[Known | None] = []
    for axis, size in enumerate(wanted):
        if isinstance(size, np.ndarray):
            out.append(len(size))
        elif size == 0 and not allow_zero:
            out.append(given[axis] if axis < len(given) else None)
        else:
            out.append(None if size == -1 else size)
    holes = [axis for axis, size in enumerate(out) if size is None]
    if len(holes) == 1:
        out[holes[0]] = _rest(given, [size for size in out if size is not None])
    whole = tuple(size for size in out if size is not None)
    return whole if len(whole) == len(out) else None


def _rest(given: tuple[Known, ...], taken: list[Known]) -> Known | None:
    """What is left of `given` for the one length that a shape leaves open."""
    symbols_left = [size for size in given if isinstance(size, str)]
    for size in taken:
        if isinstance(size, str):
            if size not in symbols_left:
                return None
            symbols_left.remove(size)
    whole = prod(size for size in given if isinstance(size, int))
    part = prod(size for size in taken if isinstance(size, int))
    if not part or whole % part:
        return None
    if symbols_left:
        return symbols_left[0] if len(symbols_left) == 1 and whole == part else None
    return whole // part


def _carry(t: Trace, node: ir.Node, given: tuple[Known, ...], out: tuple[Known, ...]) -> bool:
    """Label the output; False where the axes do not line up."""
    chunks = _chunks(given, out)
    x = node.inputs[0]
    if chunks is None or x is None:
        return False
    label: list[Ids | None] = [None] * len(out)
    for before, after in chunks:
        cut = [axis for axis in before if t.ids(x, axis) is not None]
        if not cut:
            continue
        flat = _merged(t, node, given, before)
        if len(cut) > 1 or flat is None or not after:
            return False
        axis, ids = _split(t, flat, [int(out[each]) for each in after], _followed_by_transpose(node))
        label[after[axis]] = ids
    t.put(node.outputs[0], label)
    return True


def _chunks(given: tuple[Known, ...], out: tuple[Known, ...]) -> list[Chunk] | None:
    """Pair runs of axes whose lengths multiply to the same number."""
    found: list[Chunk] = []
    i = j = 0
    while i < len(given) or j < len(out):
        a = given[i] if i < len(given) else 1
        b = out[j] if j < len(out) else 1
        if a == b and i < len(given) and j < len(out):
            found.append((range(i, i + 1), range(j, j + 1)))
            i, j = i + 1, j + 1
        elif isinstance(a, int) and isinstance(b, int) and i < len(given) and j < len(out):
            run = _run(given, out, i, j)
            if run is None:
                return None
            found.append((range(i, run[0]), range(j, run[1])))
            i, j = run
        elif a == 1 and i < len(given):
            found.append((range(i, i + 1), range(j, j)))
            i += 1
        elif b == 1 and j < len(out):
            found.append((range(i, i), range(j, j + 1)))
            j += 1
        else:
            return None
    return found


def _run(given: tuple[Known, ...], out: tuple[Known, ...], i: int, j: int) -> tuple[int, int] | None:
    left, right = given[i], out[j]
    i, j = i + 1, j + 1
    while left != right:
        if not isinstance(left, int) or not isinstance(right, int) or not left or not right:
            return None
        if left < right:
            if i == len(given) or not isinstance(factor := given[i], int):
                return None
            left, i = left * factor, i + 1
        else:
            if j == len(out) or not isinstance(factor := out[j], int):
                return None
            right, j = right * factor, j + 1
    return i, j


def _merged(t: Trace, node: ir.Node, given: tuple[Known, ...], axes: range) -> Ids | None:
    """The atom behind every element of the run of axes, flattened; None where it is fixed."""
    x = node.inputs[0]
    cut = [axis for axis in axes if t.ids(x, axis) is not None]
    if not cut:
        return None
    ids = t.ids(x, cut[0])
    dims = [size for axis in axes if isinstance(size := given[axis], int)]
    if ids is None or len(cut) > 1 or len(dims) < len(axes) or not 0 < prod(dims) <= MAX_ATOMS:
        for axis in cut:
            t.freeze(t.ids(x, axis), f"{called(node)} merges them with an axis of unknown length")
        return None
    if prod(dims) == len(ids):
        return ids
    place = [len(ids) if axis == cut[0] else 1 for axis in axes]
    return np.ascontiguousarray(np.broadcast_to(ids.reshape(place), dims)).reshape(-1)


def _split(t: Trace, flat: Ids, dims: list[int], inner: bool) -> tuple[int, Ids]:
    """The one axis of `dims` that carries the label. Exact where one axis alone tells the atoms;
    else whole blocks of the outermost axis go together (attention heads), or, where a Transpose
    follows (channel shuffle), the same position of every block."""
    wide = [axis for axis, dim in enumerate(dims) if dim > 1]
    if len(wide) <= 1:
        return (wide[0] if wide else 0), flat
    block = flat.reshape(dims)
    for axis in wide:
        rows = np.moveaxis(block, axis, 0).reshape(dims[axis], -1)
        if bool((rows == rows[:, :1]).all()):
            return axis, np.ascontiguousarray(rows[:, 0])
    axis = wide[-1] if inner and len(wide) == 2 else wide[0]
    rows = np.moveaxis(block, axis, 0).reshape(dims[axis], -1)
    for column in range(1, rows.shape[1]):
        t.join(rows[:, 0], rows[:, column])
    return axis, np.ascontiguousarray(rows[:, 0])


def _followed_by_transpose(node: ir.Node) -> bool:
    """Reshape, Transpose, Reshape: the way exporters write a channel shuffle."""
    after = [use.node for use in node.outputs[0].uses()]
    if len(after) != 1 or after[0].op_type != "Transpose":
        return False
    return {use.node.op_type for use in after[0].outputs[0].uses()} == {"Reshape"}


def _write_back(
    t: Trace, node: ir.Node, given: tuple[Known, ...], out: tuple[Known, ...], wanted: Sizes
) -> None:
    """Note which numbers of the wanted shape must follow the channels."""
    x, y = node.inputs[0], node.outputs[0]
    counts: list[tuple[int, Ids]] = []
    template: list[int] = []
    stiff = False
    for axis, size in enumerate(wanted):
        ids = t.ids(y, axis)
        if ids is not None and not (isinstance(size, int) and size <= 0):
            counts.append((axis, ids))
            stiff = stiff or isinstance(size, int)
            template.append(len(ids))
        elif isinstance(size, int):
            template.append(size)
            if size == 0 and ids is not t.ids(x, axis):
                t.freeze(ids, f"{called(node)} copies a length that is not theirs")
        else:
            same = axis < len(given) and given[axis] == out[axis] and not isinstance(size, np.ndarray)
            template.append(0 if same and ids is None and t.ids(x, axis) is None else -2)
        if isinstance(size, np.ndarray):
            _agree(t, node, size, ids)
    if not stiff:
        return
    if -2 in template or template.count(-1) > 1:
        for _, ids in counts:
            t.freeze(ids, f"the shape that {called(node)} takes is computed")
        return
    t.edits.append(ShapeVector(node, 1, tuple(template), tuple(counts)))


def _agree(t: Trace, node: ir.Node, size: Ids, ids: Ids | None) -> None:
    """A length computed from channels must be the length of the very axis that it describes."""
    if ids is not None and len(ids) == len(size):
        t.join(ids, size)
    else:
        t.freeze(size, f"{called(node)} takes their number as a length")
        t.freeze(ids, f"{called(node)} takes a length that is not theirs")
