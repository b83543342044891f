"""Bias correction: take out the mean error that rounding the weights puts on each output channel.

After Nagel et al. 2019, the empirical form: a layer is linear, so the mean error of its output is its
response to the mean input with the weights' rounding errors in place of the weights; padding included.
What one half of the samples says is taken out of a channel only where the other half's error shrinks by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.compress.calibration.ranges import Seen
from studio.compress.levels.weights import Levels
from studio.compress.parts import bias_array, set_bias, weight_array
from studio.compress.work import Array, Work

if TYPE_CHECKING:
    import onnx_ir as ir

_TINY = 1e-30


@dataclass(frozen=True)
class Shift:
    """What goes off the bias of a layer: `change` (channels,), 0 where samples held back speak against it.

    `before` and `after` are the squared mean errors on those, without it and with what the others say.
    """

    change: Array
    kept: int
    before: float
    after: float


def shift_of(whole: Array, learned: Array, held: Array) -> Shift:
    """What to take of the mean errors (channels,) on all samples, by those on two parts of them."""
    kept = np.abs(held - learned) < np.abs(held)
    left = np.where(kept, held - learned, held)
    change = np.where(kept, whole, 0.0)
    return Shift(change, int(kept.sum()), float(np.square(held).sum()), float(np.square(left).sum()))


def note_shifts(work: Work, shifts: Sequence[Shift]) -> None:
    """Say in how many channels means were set right, and what that won on the samples held back."""
    won = [
        10 * float(np.log10(max(each.before, _TINY) / max(each.after, _TINY))) for each in shifts if each.kept
    ]
    if won:
        kept, whole = (
            sum(count) for count in zip(*((each.kept, each.change.size) for each in shifts), strict=True)
        )
        work.notes.append(
            f"biases of {len(won)} layers corrected in {kept} of {whole} channels: "
            f"{sum(won) / len(won):.1f} dB less mean error on calibration data held back"
        )


def correct_biases(
    work: Work, levels: Mapping[str, Levels], seen: Mapping[str, Seen], cache: MutableMapping[str, Any]
) -> None:
    """Subtract each quantized layer's mean output error from its bias, which it gets if it has none.

    `seen` holds the mean inputs by tensor name. MatMul has no bias and is left alone. `cache` keeps
    the errors by the content that they come from.
    """
    shifts = []
    for fact, _, node in work.layers():
        source = node.inputs[0]
        if fact.name not in levels or node.op_type == "MatMul" or source is None:
            continue
        weight, bias = weight_array(node), bias_array(node, fact.out_channels)
        means = _means(seen.get(str(source.name)))
        if weight is None or bias is None or not means:
            continue
        key = _key(node, levels[fact.name], weight, means)
        if key not in cache:
            change = levels[fact.name].dequantized() - weight
            cache[key] = shift_of(*_responses(node, change, means))
        shift: Shift = cache[key]
        if shift.change.size == fact.out_channels:
            set_bias(work, node, (bias - shift.change).astype(np.float32))
            shifts.append(shift)
    note_shifts(work, shifts)


def _means(seen: Seen | None) -> tuple[Array, ...]:
    """The mean input on all samples, on one half and on the other; () where nobody looked."""
    if seen is None or seen.mean is None or seen.halves is None:
        return ()
    return seen.mean, *seen.halves


def _key(node: ir.Node, levels: Levels, weight: Array, means: tuple[Array, ...]) -> str:
    """All that decides the response; what the levels were made from stands for them and the weight."""
    digest = hashlib.sha256(f"{node.op_type}:{levels.key}:{weight.shape}:{means[0].shape}".encode())
    for name in sorted(node.attributes):
        digest.update(f"{name}={node.attributes[name].value}".encode())
    if not levels.key:
        digest.update((levels.dequantized() - weight).tobytes())
    for mean in means:
        digest.update(_distinct(mean).tobytes())
    return f"bias:{digest.hexdigest()}"


def _distinct(mean: Array) -> Array:
    """Without the axes along which one number stands for all."""
    return mean[tuple(slice(None if step else 1) for step in mean.strides)]


def _responses(node: ir.Node, weight: Array, means: Sequence[Array]) -> Array:
    """The node's outputs (means, channels) for samples `means`, weight replaced, bias left out."""
    from studio.compress.single import run_node

    out = run_node(node, [np.stack(means).astype(np.float32), weight.astype(np.float32)])
    return np.asarray(out.mean(axis=tuple(range(2, out.ndim)), dtype=np.float64))
