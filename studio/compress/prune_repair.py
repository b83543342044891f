"""Making up for removed channels in the layers that took them, without training.

A removed channel is predicted from the kept ones by least squares on calibration data (per
position, so it holds for kernels of any size): x_gone ≈ A·x_kept + b. Its weights then move to the
kept channels and its mean into the bias. With A = 0 this is mean compensation. The idea is the
reconstruction of channel pruning (He et al., ICCV 2017), solved on covariances alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from studio.compress.prune_choose import weight_index, weight_rows
from studio.compress.prune_moments import Moments
from studio.graph.coupling import Coupling
from studio.graph.coupling_trace import Cut, constant, integer

if TYPE_CHECKING:
    import onnx_ir as ir

Array = np.ndarray[Any, np.dtype[Any]]
_RIDGE = 1e-3  # of the mean variance: keeps near-duplicates from blowing up the weights


def repair(
    model: ir.Model, coupling: Coupling, gone: NDArray[np.bool_], moments: Mapping[str, Moments]
) -> list[Cut]:
    """Move what removed channels contributed into kept weights and biases of their followers.

    Must run before the removal, which the returned cuts of new biases belong to. Layers whose
    weights are not plain float32, or that are shared, keep their weights and lose the channels.
    """
    cuts: list[Cut] = []
    for name, seen in moments.items():
        lost = gone[coupling.class_of[coupling.followers[name]]]
        node = coupling.nodes[name]
        if lost.any() and not lost.all() and _plain(node):
            cuts += _repair(model, node, lost, seen, coupling.members[name])
    return cuts


def _repair(model: ir.Model, node: ir.Node, lost: NDArray[np.bool_], seen: Moments, out: Array) -> list[Cut]:
    weight = weight_rows(node)
    if weight is None:
        return []
    mix, rest = prediction(seen, lost)
    axis = 0 if node.op_type == "ConvTranspose" else 1
    inward = np.moveaxis(weight, axis, 0)  # input channels first: a view into `weight`
    lost_weight = inward[lost]
    shift = np.tensordot(rest, lost_weight, axes=(0, 0))
    if mix is not None:
        inward[~lost] += np.tensordot(mix.T, lost_weight, axes=(1, 0))
        _set_weight(model, node, weight)
    per_channel = shift.reshape(shift.shape[0], -1).sum(axis=1) / _strides(node)
    return _add_bias(model, node, per_channel.astype(np.float32), out)


def prediction(seen: Moments, lost: NDArray[np.bool_]) -> tuple[Array | None, Array]:
    """(A, b) with x_lost ≈ A·x_kept + b; A is None where only the mean is known.

    A is (lost, kept), b is (lost,), both float64.
    """
    mean = seen.mean
    covariance = seen.covariance
    if covariance is None or seen.count <= 2 * len(mean):
        return None, mean[lost]
    kept = covariance[np.ix_(~lost, ~lost)]
    ridge = _RIDGE * max(float(np.trace(kept)) / len(kept), 1e-12)
    mix = np.linalg.solve(kept + ridge * np.eye(len(kept)), covariance[np.ix_(~lost, lost)]).T
    return mix, mean[lost] - mix @ mean[~lost]


def _strides(node: ir.Node) -> int:
    """How many kernel taps share one output place less, on average, in a ConvTranspose."""
    strides = node.attributes.get("strides") if node.op_type == "ConvTranspose" else None
    return prod(strides.as_ints()) if strides is not None else 1


def _plain(node: ir.Node) -> bool:
    """Whether weight and bias are this node's own float32 constants, unscaled."""
    value = node.inputs[weight_index(node)]
    tensor = constant(value)
    if value is None or tensor is None or tensor.dtype.name != "FLOAT" or len(value.uses()) > 1:
        return False
    if node.op_type == "MatMul":
        return weight_index(node) == 1
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    known = constant(bias)
    if bias is not None and (known is None or known.dtype.name != "FLOAT" or len(known.shape) != 1):
        return False
    scaled = [node.attributes.get(name) for name in ("alpha", "beta")]
    return all(each is None or each.as_float() == 1.0 for each in scaled) and not integer(node, "transA", 0)


def _set_weight(model: ir.Model, node: ir.Node, weight: Array) -> None:
    turned = node.op_type == "MatMul" or (node.op_type == "Gemm" and not integer(node, "transB", 0))
    _replace(model, node, 1, (weight.T if turned else weight).astype(np.float32))


def _add_bias(model: ir.Model, node: ir.Node, shift: Array, out: Array) -> list[Cut]:
    if node.op_type == "MatMul":
        return _add_behind(model, node, shift, out)
    old = constant(node.inputs[2]) if len(node.inputs) > 2 else None
    if old is not None:
        shift = shift + np.asarray(old.numpy())
    _replace(model, node, 2, np.broadcast_to(shift, (len(out),)).astype(np.float32))
    return [] if old is not None and len(out) == old.size else [Cut(node, 2, 0, out)]


def _add_behind(model: ir.Model, node: ir.Node, shift: Array, out: Array) -> list[Cut]:
    """A MatMul has no bias: use the constant Add behind it, or insert one."""
    uses = list(node.outputs[0].uses())
    if len(uses) == 1 and uses[0].node.op_type == "Add" and not node.outputs[0].is_graph_output():
        after, index = uses[0].node, 1 - uses[0].idx
        old = constant(after.inputs[index])
        if old is not None and tuple(old.shape.numpy()) == shift.shape and old.dtype.name == "FLOAT":
            _replace(model, after, index, np.asarray(old.numpy()) + shift)
            return []
    return [Cut(_insert_add(model, node, shift), 1, 0, out)]


def _insert_add(model: ir.Model, node: ir.Node, shift: Array) -> ir.Node:
    import onnx_ir as ir

    value = node.outputs[0]
    name = value.name
    bias = _initializer(model, shift, f"{name}.shift")
    made = ir.node("Add", [value, bias], name=f"{node.name}.shift")
    result = made.outputs[0]
    result.shape, result.type = value.shape, value.type
    value.replace_all_uses_with(result, replace_graph_outputs=True)
    made.replace_input_with(0, value)
    value.name, result.name = f"{name}.unshifted", name
    model.graph.insert_after(node, made)
    return made


def _replace(model: ir.Model, node: ir.Node, index: int, array: Array) -> None:
    """A constant of the node's own; the old one goes where nobody else uses it."""
    old = node.inputs[index] if len(node.inputs) > index else None
    initializers = model.graph.initializers
    name = str(old.name) if old is not None else f"{node.outputs[0].name}.bias"
    own = old is not None and old.is_initializer() and len(old.uses()) == 1
    if own and old is not None:
        initializers.pop(name)
        if old in model.graph.inputs:
            model.graph.inputs.remove(old)
    if len(node.inputs) <= index:
        node.resize_inputs(index + 1)
    node.replace_input_with(index, _initializer(model, array, name if own else f"{name}.repaired"))


def _initializer(model: ir.Model, array: Array, name: str) -> ir.Value:
    import onnx_ir as ir

    while name in model.graph.initializers:
        name += "_"
    whole = np.ascontiguousarray(array)
    value = ir.Value(name=name, const_value=ir.tensor(whole, name=name))
    model.graph.register_initializer(value)
    return value
