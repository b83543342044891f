"""Which channels go: how much each contributes, and how many are kept of each block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from studio.graph.coupling.couple import Component, Coupling
from studio.graph.coupling.trace import constant, integer

if TYPE_CHECKING:
    import onnx_ir as ir

Array = np.ndarray[Any, np.dtype[Any]]
Scores = NDArray[np.float64]


def keep_count(width: int, sparsity: float, each: int = 1) -> int:
    """How many of `width` coupled channels stay, each of which stands for `each` channels of a layer.

    A layer keeps multiples of 16 from 32 channels on: kernels work in such blocks, and odd counts run
    slower than the unpruned layer. Halfway between two, the fewer stay.
    """
    step = count_step(width, each)
    rounded = int(np.ceil(width * (1 - sparsity) / step - 0.5)) * step
    return min(width, max(rounded, step))


def count_step(width: int, each: int = 1) -> int:
    """Counts of coupled channels are multiples of this."""
    whole = width * each
    step = 16 if whole >= 32 else 1
    return step // each if step % each == 0 else 1


def repeats(coupling: Coupling, part: Component, block: NDArray[np.int64]) -> int:
    """How many channels of one layer a class of `block` stands for, at most."""
    counts = (
        np.count_nonzero(coupling.class_of[coupling.members[name]] == block[0]) for name in part.members
    )
    return max(int(count) for count in counts)


def cut_count(coupling: Coupling, part: Component, block: NDArray[np.int64], sparsity: float) -> int:
    """How many classes of `block` go at `sparsity`."""
    return len(block) - keep_count(len(block), sparsity, repeats(coupling, part, block))


def importance(coupling: Coupling, part: Component, variance: Mapping[str, Array]) -> Scores:
    """A score per class (0 for classes of other components).

    With the `variance` of a follower's input (per channel, by follower name): the energy that the
    channel's variation adds to the follower's output, ‖W[:, c]‖² · var(c), as its share of that
    layer's; its mean costs nothing, it goes into the bias. Without: the channel's share of each layer's
    squared weights, summed over the layers that make it and those that take it.
    """
    scores = np.zeros(len(coupling.held))
    seen = [name for name in part.followers if name in variance]
    for name in seen if seen else part.followers:
        energy = input_energy(coupling.nodes[name], len(coupling.followers[name]))
        if seen:
            energy = energy * variance[name]
        _share(scores, coupling.class_of[coupling.followers[name]], energy)
    for name in part.members if not seen else ():
        energy = output_energy(coupling.nodes[name], len(coupling.members[name]))
        _share(scores, coupling.class_of[coupling.members[name]], energy)
    return scores


def output_energy(node: ir.Node, channels: int) -> Array:
    """Squared weights per output channel, float64 (channels,); zeros where they are not plain floats."""
    weight = weight_rows(node)
    if weight is None:
        return np.zeros(channels)
    if node.op_type == "ConvTranspose":
        groups = integer(node, "group", 1)
        split = np.square(weight).reshape(groups, -1, *weight.shape[1:])
        flat = split.reshape(groups, split.shape[1], split.shape[2], -1)
        return np.asarray(flat.sum(axis=(1, 3)).reshape(-1))
    return np.asarray(np.square(weight).reshape(channels, -1).sum(axis=1))


def input_energy(node: ir.Node, channels: int) -> Array:
    """Squared weights per input channel of an ungrouped layer, float64 (channels,)."""
    weight = weight_rows(node)
    if weight is None:
        return np.zeros(channels)
    axis = 0 if node.op_type == "ConvTranspose" else 1
    return np.asarray(np.square(np.moveaxis(weight, axis, 0)).reshape(channels, -1).sum(axis=1))


def weight_rows(node: ir.Node) -> Array | None:
    """The weight in float64 with output channels first (ConvTranspose: as it is), else None."""
    index = weight_index(node)
    tensor = constant(node.inputs[index])
    if tensor is None or not tensor.dtype.is_floating_point():
        return None
    weight = np.asarray(tensor.numpy()).astype(np.float64)
    turned = (node.op_type == "MatMul" and index == 1) or (
        node.op_type == "Gemm" and not integer(node, "transB", 0)
    )
    return weight.T if turned else weight


def weight_index(node: ir.Node) -> int:
    """Which input is the weight: 1, or 0 of a MatMul whose constant is on the left."""
    return 0 if node.op_type == "MatMul" and constant(node.inputs[1]) is None else 1


def _share(scores: Scores, classes: NDArray[np.int64], energy: Array) -> None:
    total = float(energy.sum())
    if total > 0:
        np.add.at(scores, classes, energy / total)
