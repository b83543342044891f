"""Make the graph small before anything is quantized: constants up, identities out, BatchNorm in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.compress.defaults import drop_defaults
from studio.compress.digests import note
from studio.compress.work import (
    Array,
    Work,
    array_of,
    attribute,
    bypass,
    can_bypass,
    drop,
    only_consumer,
    set_input,
)
from studio.graph.constants import is_constant
from studio.graph.model import LayerFact

if TYPE_CHECKING:
    import onnx_ir as ir

_FOLDABLE = ("Conv", "ConvTranspose", "Gemm")
_NOTHING = ("Identity", "Dropout")
_WORTH_SHARING = 512  # bytes: a small one costs more in surprise than it saves
_HEAD = 256  # elements that tell nearly all constants apart


def fold(work: Work) -> None:
    """Lift constants, remove what does nothing, fold BatchNorm, Mul and Add into the layer before.

    Layers keep their names; a layer that took in a BatchNorm gives its output the BatchNorm's name.
    Layers whose row is untouched are folded too: the function stays the same up to float rounding.
    """
    tidy(work)
    _own_constants(work)
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


def tidy(work: Work) -> None:
    """Constants become initializers that are not inputs; what only helps readers is dropped."""
    from onnx_ir.passes import common

    common.RemoveInitializersFromInputsPass()(work.model)
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(work.model)
    work.model.graph.metadata_props.clear()
    for value in work.model.graph.initializers.values():
        value.metadata_props.clear()
        value.shape = value.type = None  # the tensor says both
    for node in work.model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            value.metadata_props.clear()
            if not value.is_graph_output():
                value.shape = value.type = None


def _own_constants(work: Work) -> None:
    """A constant behind Identity becomes its reader's own: exporters write equal biases once, so."""
    for node in list(work.model.graph):
        if node.op_type != "Identity" or node.outputs[0].is_graph_output():
            continue
        array = array_of(node.inputs[0])
        if array is None:
            continue
        own = work.constant(array)
        for reader, index in tuple(node.outputs[0].uses()):
            reader.replace_input_with(index, own)
        drop(work.model, node)


def share_equals(work: Work) -> None:
    """Large constants of equal type, shape and bytes are stored once, as the file had them before passes."""
    alike: dict[tuple[object, ...], list[ir.Value]] = {}
    initializers = work.model.graph.initializers
    for value in list(initializers.values()):
        tensor = value.const_value
        if tensor is None or tensor.nbytes < _WORTH_SHARING or value.is_graph_output():
            continue
        array = tensor.numpy()
        near = alike.setdefault((tensor.dtype, array.shape, array.reshape(-1)[:_HEAD].tobytes()), [])
        same = next((each for each in near if _tensor(each).tobytes() == tensor.tobytes()), None)
        if same is None:
            near.append(value)
            continue
        value.replace_all_uses_with(same)
        initializers.pop(str(value.name))


def _tensor(value: ir.Value) -> ir.TensorProtocol:
    assert value.const_value is not None
    return value.const_value


def sweep(work: Work) -> None:
    """Remove nodes and initializers that nothing uses."""
    from onnx_ir.passes import common

    common.RemoveUnusedNodesPass()(work.model)


def drop_unused(work: Work) -> None:
    """The same for what passes leave behind in the main graph; quicker, for it is done at every build."""
    graph = work.model.graph
    for node in reversed(graph):
        if not any(value.uses() or value.is_graph_output() for value in node.outputs):
            graph.remove(node, safe=True)
    for name, value in list(graph.initializers.items()):
        if not value.uses() and not value.is_graph_output():
            graph.initializers.pop(name)


def weight_array(node: ir.Node) -> Array | None:
    """A layer's weight as stored, in float32 where it is a plain float constant, else None."""
    array = array_of(node.inputs[1])
    return array if array is not None and array.dtype == np.float32 else None


def bias_array(node: ir.Node, channels: int) -> Array | None:
    """A layer's bias (channels,), zeros where it has none; None where it is not a plain constant."""
    if len(node.inputs) < 3 or node.inputs[2] is None:
        return np.zeros(channels, np.float32)
    array = array_of(node.inputs[2])
    if array is None or array.dtype != np.float32 or array.size not in (1, channels):
        return None
    return np.broadcast_to(array.reshape(-1), (channels,)).astype(np.float32)


def along(vector: Array, rank: int, axis: int) -> Array:
    """`vector` shaped to broadcast along `axis` of an array of `rank` dimensions."""
    shape = [1] * rank
    shape[axis] = vector.size
    return vector.reshape(shape)


def scale_channels(weight: Array, factor: Array, fact: LayerFact) -> Array:
    """The weight with each output channel multiplied by its factor (grouped ConvTranspose included)."""
    if fact.op == "ConvTranspose" and fact.groups > 1:
        split = weight.reshape(fact.groups, -1, *weight.shape[1:])
        wide = factor.reshape(fact.groups, 1, -1, *[1] * (weight.ndim - 2))
        return np.ascontiguousarray((split * wide).reshape(weight.shape), np.float32)
    return np.ascontiguousarray(weight * along(factor, weight.ndim, fact.channel_axis), np.float32)


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


def set_weight(work: Work, node: ir.Node, weight: Array, digest: str = "") -> None:
    """Give `node` a new weight under the old one's name where nobody else uses that.

    `digest` stands for the weight where it is known, see `studio.compress.digests`.
    """
    value = _set(work, node, 1, weight)
    if digest:
        note(value, digest)


def set_bias(work: Work, node: ir.Node, bias: Array) -> None:
    """Give `node` a bias; a node without one gets its third input."""
    _set(work, node, 2, bias)


def _set(work: Work, node: ir.Node, index: int, array: Array) -> ir.Value:
    old = node.inputs[index] if len(node.inputs) > index else None
    value = work.constant(array, work.release(old))
    set_input(node, index, value)
    return value


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
