"""Make the graph small before anything is quantized: constants up, identities out, BatchNorm in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.compress.parts import bias_array, scale_channels, set_bias, set_weight, weight_array
from studio.compress.prepare.clean import own_constants, sweep, tidy
from studio.compress.prepare.defaults import drop_defaults
from studio.compress.work import Array, Work, array_of, attribute, bypass, can_bypass, only_consumer
from studio.graph.constants import is_constant
from studio.graph.model import LayerFact

if TYPE_CHECKING:
    import onnx_ir as ir

_FOLDABLE = ("Conv", "ConvTranspose", "Gemm")
_NOTHING = ("Identity", "Dropout")


def fold(work: Work) -> None:
    """Lift constants, remove what does nothing, fold BatchNorm, Mul and Add into the layer before.

    Layers keep their names; a layer that took in a BatchNorm gives its output the BatchNorm's name.
    Layers whose row is untouched are folded too: the function stays the same up to float rounding.
    """
    tidy(work)
    own_constants(work)
    for node in list(work.model.graph):
        if node.op_type in _NOTHING and _does_nothing(node) and can_bypass(node):
            bypass(work.model, node)
    for fact, _, node in work.layers():
        if node.op_type == "MatMul":
            _matmul_to_gemm(work, node)
        if node.op_type == "Gemm":
            _plain_gemm(work, fact, node)
        if node.op_type in _FOLDABLE:
            _fold_followers(work, fact, node)
    drop_defaults(work.model)
    sweep(work)


def _does_nothing(node: ir.Node) -> bool:
    if node.op_type == "Identity":
        return not is_constant(node.inputs[0])
    training = len(node.inputs) > 2 and node.inputs[2] is not None
    unused = len(node.outputs) < 2 or not node.outputs[1].uses()
    return not training and unused


def _fold_followers(work: Work, fact: LayerFact, node: ir.Node) -> None:
    while (follower := only_consumer(node.outputs[0])) is not None:
        weight, bias = weight_array(node), bias_array(node, fact.out_channels)
        affine = _affine(follower, node, fact.out_channels)
        if weight is None or bias is None or affine is None or _scaled_gemm(node) or _shared(node):
            return
        factor, shift = affine
        set_weight(work, node, scale_channels(weight, factor, fact))
        set_bias(work, node, (bias * factor + shift).astype(np.float32))
        bypass(work.model, follower, node.outputs[0])


def _shared(node: ir.Node) -> bool:
    return any(value is not None and len(value.uses()) > 1 for value in node.inputs[1:2])


def _scaled_gemm(node: ir.Node) -> bool:
    if node.op_type != "Gemm":
        return False
    plain = attribute(node, "alpha", 1.0) == 1.0 and attribute(node, "beta", 1.0) == 1.0
    return not plain or bool(attribute(node, "transA", 0))


def _affine(follower: ir.Node, node: ir.Node, channels: int) -> tuple[Array, Array] | None:
    """The per-channel (factor, shift) that `follower` applies to the layer's output, if it is one."""
    if follower.op_type == "BatchNormalization":
        return _batch_norm(follower, channels)
    if follower.op_type not in ("Mul", "Add", "Sub", "Div") or len(follower.inputs) != 2:
        return None
    other = follower.inputs[1] if follower.inputs[0] is node.outputs[0] else follower.inputs[0]
    if follower.op_type in ("Sub", "Div") and follower.inputs[0] is not node.outputs[0]:
        return None
    vector = _channel_vector(array_of(other), node, channels)
    return None if vector is None else _arithmetic(follower.op_type, vector)


def _arithmetic(op: str, vector: Array) -> tuple[Array, Array]:
    ones, zeros = np.ones_like(vector), np.zeros_like(vector)
    if op in ("Add", "Sub"):
        return ones, vector if op == "Add" else -vector
    return (vector if op == "Mul" else 1 / vector), zeros


def _channel_vector(array: Array | None, node: ir.Node, channels: int) -> Array | None:
    """A constant that varies along the channel axis alone: (C,) for Gemm, (1, C, 1, 1) for Conv."""
    if array is None or array.dtype != np.float32 or array.size not in (1, channels):
        return None
    if array.size == channels and channels > 1:
        behind = 0 if node.op_type == "Gemm" else _rank(node) - 2
        if array.ndim <= behind or array.shape[array.ndim - 1 - behind] != channels:
            return None
    elif array.ndim > (2 if node.op_type == "Gemm" else _rank(node)):
        return None
    return np.broadcast_to(array.reshape(-1), (channels,)).astype(np.float32)


def _rank(node: ir.Node) -> int:
    weight = array_of(node.inputs[1])
    return weight.ndim if weight is not None else 0


def _batch_norm(node: ir.Node, channels: int) -> tuple[Array, Array] | None:
    if attribute(node, "training_mode", 0) or any(value.uses() for value in node.outputs[1:]):
        return None
    found = [array_of(value) for value in node.inputs[1:5]]
    if len(found) != 4 or any(each is None or each.size != channels for each in found):
        return None
    gamma, beta, mean, variance = (np.asarray(each, np.float64).reshape(-1) for each in found)
    factor = gamma / np.sqrt(variance + attribute(node, "epsilon", 1e-5))
    return factor.astype(np.float32), (beta - mean * factor).astype(np.float32)


def _plain_gemm(work: Work, fact: LayerFact, node: ir.Node) -> None:
    """Move alpha and beta into weight and bias: integer kernels know neither."""
    import onnx_ir as ir

    weight, bias = weight_array(node), bias_array(node, fact.out_channels)
    factors = {name: float(attribute(node, name, 1.0)) for name in ("alpha", "beta")}
    if weight is None or bias is None or set(factors.values()) == {1.0}:
        return
    set_weight(work, node, (weight * factors["alpha"]).astype(np.float32))
    if bias.any():
        set_bias(work, node, (bias * factors["beta"]).astype(np.float32))
    for name in factors:
        node.attributes[name] = ir.AttrFloat32(name, 1.0)


def _matmul_to_gemm(work: Work, node: ir.Node) -> None:
    """MatMul of a matrix + Add of a vector is one Gemm: it has a bias and its own int8 kernel."""
    follower = only_consumer(node.outputs[0])
    ranks = {fact.name: len(fact.shape) for fact in work.facts.tensors if fact.shape is not None}
    source, weight = node.inputs[0], weight_array(node)
    if follower is None or follower.op_type != "Add" or weight is None or weight.ndim != 2:
        return
    if source is None or ranks.get(str(source.name)) != 2:
        return
    other = follower.inputs[1] if follower.inputs[0] is node.outputs[0] else follower.inputs[0]
    vector = array_of(other)
    if vector is not None and vector.ndim <= 2 and vector.size == vector.shape[-1] == weight.shape[1]:
        node.op_type = "Gemm"
