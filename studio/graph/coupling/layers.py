"""How layers with weights, and what is scaled per channel, make, take and couple channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.graph.coupling.trace import ConvGroups, Cut, Ids, Trace, called, constant, integer

if TYPE_CHECKING:
    import onnx_ir as ir


def convolution(t: Trace, node: ir.Node) -> None:
    """Conv and ConvTranspose: axis 1 in, fresh channels on axis 1 out; groups stay whole."""
    x, weight = node.inputs[0], node.inputs[1]
    shape = _constant_shape(weight)
    if x is None or weight is None or shape is None or len(shape) < 3:
        return _computed(t, node)
    for axis, ids in enumerate(t.labels.get(x, ())):
        if axis > 1:
            t.freeze(ids, f"{called(node)} slides over them")
    groups = integer(node, "group", 1)
    out = _grouped(t, node, shape, groups) if groups > 1 else _dense_conv(t, node, shape)
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    _vector(t, node, 2, bias, out)
    t.members[node] = out
    t.put(node.outputs[0], (t.ids(x, 0), out, *(None,) * (len(shape) - 2)))
    return None


def _dense_conv(t: Trace, node: ir.Node, shape: tuple[int, ...]) -> Ids:
    out_axis, in_axis = (0, 1) if node.op_type == "Conv" else (1, 0)
    return _dense(t, node, 1, shape, t.ids(node.inputs[0], 1), out_axis, in_axis)


def _grouped(t: Trace, node: ir.Node, shape: tuple[int, ...], groups: int) -> Ids:
    """Only whole groups go: all inputs and all outputs of a group are one."""
    ids = t.ids(node.inputs[0], 1)
    outputs = shape[0] if node.op_type == "Conv" else shape[1] * groups
    if ids is None or len(ids) % groups:
        return t.fixed(outputs, f"the input of the grouped {called(node)} is fixed")
    parts = ids.reshape(groups, -1)
    for column in range(1, parts.shape[1]):
        t.join(parts[:, 0], parts[:, column])
    heads = np.ascontiguousarray(parts[:, 0])
    out = ids if outputs == groups == len(ids) else np.repeat(heads, outputs // groups)
    t.edits.append(Cut(node, 1, 0, out if node.op_type == "Conv" else ids))
    t.edits.append(ConvGroups(node, heads))
    return out


def gemm(t: Trace, node: ir.Node) -> None:
    """alpha·A·B + beta·C with a constant B: last axis in, fresh channels out."""
    a, b = node.inputs[0], node.inputs[1]
    shape = _constant_shape(b)
    if a is None or shape is None or len(shape) != 2:
        return _computed(t, node)
    rows, columns = (1, 0) if integer(node, "transA", 0) else (0, 1)
    out_axis, in_axis = (0, 1) if integer(node, "transB", 0) else (1, 0)
    out = _dense(t, node, 1, shape, t.ids(a, columns), out_axis, in_axis)
    t.members[node] = out
    _gemm_bias(t, node, out)
    t.put(node.outputs[0], (t.ids(a, rows), out))
    return None


def _gemm_bias(t: Trace, node: ir.Node, out: Ids) -> None:
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    shape = _constant_shape(bias)
    if bias is not None and (shape is None or (len(shape) == 2 and shape[0] != 1)):
        t.freeze(out, f"{called(node)} adds a matrix to them")
        t.freeze_value(bias, f"{called(node)} adds them to a product")
    elif shape and shape[-1] == len(out) > 1:
        t.edits.append(Cut(node, 2, len(shape) - 1, out))


def matmul(t: Trace, node: ir.Node) -> None:
    """A·W (last axis in and out), W·A (second last), or a product of two computed tensors."""
    a, b = node.inputs[0], node.inputs[1]
    if a is None or b is None:
        return _computed(t, node)
    left, right = _constant_shape(a), _constant_shape(b)
    if right is not None and len(right) == 2 and left is None:
        return _times_weight(t, node, a, right)
    if left is not None and len(left) == 2 and right is None:
        return _weight_times(t, node, b, left)
    if left is None and right is None:
        return _product(t, node, a, b)
    return _computed(t, node)


def _times_weight(t: Trace, node: ir.Node, a: ir.Value, shape: tuple[int, ...]) -> None:
    rank = t.rank(a)
    if rank is None or rank < 2:
        return _computed(t, node)
    out = _dense(t, node, 1, shape, t.ids(a, -1), 1, 0)
    t.members[node] = out
    t.put(node.outputs[0], (*t.labels.get(a, (None,) * rank)[:-1], out))
    return None


def _weight_times(t: Trace, node: ir.Node, b: ir.Value, shape: tuple[int, ...]) -> None:
    rank = t.rank(b)
    if rank is None or rank < 2:
        return _computed(t, node)
    out = _dense(t, node, 0, shape, t.ids(b, -2), 0, 1)
    t.members[node] = out
    label = t.labels.get(b, (None,) * rank)
    t.put(node.outputs[0], (*label[:-2], out, label[-1]))
    return None


def _product(t: Trace, node: ir.Node, a: ir.Value, b: ir.Value) -> None:
    """Attention's products: leading axes (heads) are shared, the contracted axis must stay."""
    if a not in t.labels and b not in t.labels:
        return None
    ranks = t.rank(a), t.rank(b)
    if ranks[0] is None or ranks[1] is None or ranks[0] != ranks[1] or ranks[0] < 2:
        return _computed(t, node)
    reason = f"{called(node)} sums over them"
    t.freeze(t.ids(a, -1), reason)
    t.freeze(t.ids(b, -2), reason)
    leading = [_shared(t, node, a, b, axis) for axis in range(ranks[0] - 2)]
    t.put(node.outputs[0], (*leading, t.ids(a, -2), t.ids(b, -1)))
    return None


def _shared(t: Trace, node: ir.Node, a: ir.Value, b: ir.Value, axis: int) -> Ids | None:
    first, second = t.ids(a, axis), t.ids(b, axis)
    if first is not None and second is not None and len(first) == len(second):
        t.join(first, second)
        return first
    for ids in (first, second):
        t.freeze(ids, f"{called(node)} pairs them with a tensor whose width is fixed")
    return None


def batch_norm(t: Trace, node: ir.Node) -> None:
    """BatchNormalization and InstanceNormalization: vectors along axis 1."""
    x = node.inputs[0]
    label = t.labels.get(x) if x is not None else None
    if x is None or label is None or len(label) < 2:
        return None
    if len([value for value in node.outputs if value.uses()]) > 1:
        return _computed(t, node)
    for axis, ids in enumerate(label):
        if node.op_type == "InstanceNormalization" and axis > 1:
            t.freeze(ids, f"{called(node)} normalizes over them")
    if label[1] is not None:
        for index, value in enumerate(node.inputs[1:], start=1):
            _vector(t, node, index, value, label[1])
    t.put(node.outputs[0], label)
    return None


def _dense(
    t: Trace, node: ir.Node, index: int, shape: tuple[int, ...], ids: Ids | None, out_axis: int, in_axis: int
) -> Ids:
    """A weight at input `index`: fresh channels out; a follower of the channels in."""
    weight = node.inputs[index]
    out = t.fresh(shape[out_axis])
    if ids is not None and len(ids) != shape[in_axis]:
        t.freeze(ids, f"{called(node)} takes another number of channels")
        ids = None
    if ids is not None:
        t.followers[node] = ids
        t.edits.append(Cut(node, index, in_axis, ids))
    t.edits.append(Cut(node, index, out_axis, out))
    if weight is not None:
        _tie(t, weight, out, ids)
    return out


def _tie(t: Trace, weight: ir.Value, out: Ids, ids: Ids | None) -> None:
    """Layers that share one weight keep the same channels, so that they go on sharing it."""
    known = t.tied.setdefault(weight, (out, ids))
    for mine, other in zip((out, ids), known, strict=True):
        if mine is not None and other is not None and len(mine) == len(other):
            t.join(mine, other)


def _vector(t: Trace, node: ir.Node, index: int, value: ir.Value | None, ids: Ids) -> None:
    shape = _constant_shape(value)
    if value is None:
        return
    if shape == (len(ids),):
        t.edits.append(Cut(node, index, 0, ids))
    else:
        t.freeze(ids, f"a parameter of {called(node)} is computed or of another length")


def _computed(t: Trace, node: ir.Node) -> None:
    for value in node.inputs:
        t.freeze_value(value, f"{called(node)} has weights that are computed, or of an unknown shape")


def _constant_shape(value: ir.Value | None) -> tuple[int, ...] | None:
    tensor = constant(value)
    return None if tensor is None else tuple(int(dim) for dim in tensor.shape.numpy())
