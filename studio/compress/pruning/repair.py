"""Making up for removed channels in the layers that took them, without training.

What a layer used to take in is predicted from what it takes in now by least squares on calibration
data, x ≈ x'·A + b per position (so it holds for kernels of any size). A goes into the layer's
weights and b into its bias; where there are too many channels for a solve, only the mean is moved.
The target is the original net's tensor, so errors of layers in front are made up for as well. The
idea is the reconstruction of channel pruning (He et al., ICCV 2017), solved on covariances alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from studio.compress.pruning.choose import weight_index, weight_rows
from studio.graph.coupling.trace import constant, integer

if TYPE_CHECKING:
    import onnx_ir as ir

Array = np.ndarray[Any, np.dtype[Any]]
Keep = NDArray[np.bool_]
MAX_SOLVE = 1024  # channels; above, a cubic solve costs more than it gives
RIDGE = 1e-2  # of the mean variance: pulls towards keeping channels as they are


@dataclass(frozen=True)
class Follower:
    """A layer that loses input channels: its tensor in, their axis, which stay, and its original
    weights (float64, input channels first, removed output channels already left out). `stamp` names
    all removals that reach its input."""

    node: ir.Node
    tensor: str
    axis: int
    keep: Keep
    weight: Array
    stamp: str


def follower(
    node: ir.Node, tensor: str, axis: int, keep: Keep, keep_out: Keep, stamp: str
) -> Follower | None:
    """The layer before the removal, or None where its weights are shared, scaled or no plain floats."""
    weight = weight_rows(node) if _plain(node) else None
    if weight is None:
        return None
    inward = weight if node.op_type == "ConvTranspose" else np.moveaxis(weight, 1, 0)
    return Follower(node, tensor, axis, keep, inward[:, keep_out], stamp)


def mapping(given: Array, wanted: Array, keep: Keep) -> tuple[Array, Array]:
    """(A, b) with wanted ≈ given·A + b, from rows (n, kept) and (n, all): A is (kept, all), b is (all,).

    Minimizes the squared error plus a ridge on the distance of A from "each kept channel is itself";
    A is just that where there are more than MAX_SOLVE channels or too few rows.
    """
    from scipy.linalg import solve

    mean, target = given.mean(axis=0, dtype=np.float64), wanted.mean(axis=0, dtype=np.float64)
    plain = np.zeros((given.shape[1], wanted.shape[1]))
    plain[np.arange(given.shape[1]), np.flatnonzero(keep)] = 1.0
    if wanted.shape[1] > MAX_SOLVE or len(given) <= 2 * given.shape[1]:
        return plain, target - mean @ plain
    centred = given - mean.astype(np.float32)
    within = (centred.T @ centred).astype(np.float64) / len(given)
    across = (centred.T @ (wanted - target.astype(np.float32))).astype(np.float64) / len(given)
    ridge = RIDGE * max(float(np.trace(within)) / len(within), 1e-12)
    mix = solve(within + ridge * np.eye(len(within)), across + ridge * plain, assume_a="pos")
    return mix, target - mean @ mix


def apply(model: ir.Model, each: Follower, mix: Array, shift: Array) -> None:
    """Write A into the weights and b into the bias of the layer, which has lost its channels."""
    node = each.node
    inward = np.tensordot(mix, each.weight, axes=(1, 0))
    weight = inward if node.op_type == "ConvTranspose" else np.moveaxis(inward, 0, 1)
    turned = node.op_type == "MatMul" or (node.op_type == "Gemm" and not integer(node, "transB", 0))
    _replace(model, node, 1, (weight.T if turned else weight).astype(np.float32))
    taps = np.tensordot(shift, each.weight, axes=(0, 0))
    _add_bias(model, node, taps.reshape(taps.shape[0], -1).sum(axis=1) / _strides(node))


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


def _add_bias(model: ir.Model, node: ir.Node, shift: Array) -> None:
    if node.op_type == "MatMul":
        return _add_behind(model, node, shift.astype(np.float32))
    old = constant(node.inputs[2]) if len(node.inputs) > 2 else None
    if old is not None:
        shift = shift + np.asarray(old.numpy())
    return _replace(model, node, 2, shift.astype(np.float32))


def _add_behind(model: ir.Model, node: ir.Node, shift: Array) -> None:
    """A MatMul has no bias: use the constant Add behind it, or insert one."""
    uses = list(node.outputs[0].uses())
    if len(uses) == 1 and uses[0].node.op_type == "Add" and not node.outputs[0].is_graph_output():
        after, index = uses[0].node, 1 - uses[0].idx
        old = constant(after.inputs[index])
        if old is not None and tuple(old.shape.numpy()) == shift.shape and old.dtype.name == "FLOAT":
            return _replace(model, after, index, np.asarray(old.numpy()) + shift)
    return _insert_add(model, node, shift)


def _insert_add(model: ir.Model, node: ir.Node, shift: Array) -> None:
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
    value = ir.Value(name=name, const_value=ir.tensor(np.ascontiguousarray(array), name=name))
    model.graph.register_initializer(value)
    return value
