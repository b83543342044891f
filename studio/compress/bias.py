"""Bias correction: take out the mean error that rounding the weights puts on each output channel.

After Nagel et al. 2019, the empirical form: a layer is linear, so the mean error of its output is its
response to the mean input with the weights' rounding errors in place of the weights; padding included.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.compress.fold import bias_array, set_bias, weight_array
from studio.compress.ranges import Seen
from studio.compress.weights import Levels
from studio.compress.work import Array, Work

if TYPE_CHECKING:
    import onnx_ir as ir

_TINY = 1e-30


def correct_biases(
    work: Work, levels: Mapping[str, Levels], seen: Mapping[str, Seen], cache: MutableMapping[str, Any]
) -> None:
    """Subtract each quantized layer's mean output error from its bias, which it gets if it has none.

    `seen` holds the mean inputs by tensor name. MatMul has no bias and is left alone. `cache` keeps
    the errors by the content that they come from.
    """
    shares = []
    for fact, _, node in work.layers():
        source = node.inputs[0]
        if fact.name not in levels or node.op_type == "MatMul" or source is None:
            continue
        weight, bias = weight_array(node), bias_array(node, fact.out_channels)
        found = seen.get(str(source.name))
        mean = found.mean if found is not None else None
        if weight is None or bias is None or mean is None:
            continue
        key = _key(node, levels[fact.name], weight, mean)
        if key not in cache:
            change = levels[fact.name].dequantized() - weight
            cache[key] = tuple(_response(node, each, mean) for each in (change, weight))
        error, whole = cache[key]
        if error.size == fact.out_channels:
            set_bias(work, node, (bias - error).astype(np.float32))
            shares.append(float(np.sqrt(np.square(error).sum() / max(np.square(whole).sum(), _TINY))))
    if shares:
        share = sum(shares) / len(shares)
        work.notes.append(
            f"biases of {len(shares)} layers corrected: mean errors of {share:.2%} of their outputs taken out"
        )


def _key(node: ir.Node, levels: Levels, weight: Array, mean: Array) -> str:
    """All that decides the response; what the levels were made from stands for them and the weight."""
    digest = hashlib.sha256(f"{node.op_type}:{levels.key}:{weight.shape}:{mean.shape}".encode())
    for name in sorted(node.attributes):
        digest.update(f"{name}={node.attributes[name].value}".encode())
    if not levels.key:
        digest.update((levels.dequantized() - weight).tobytes())
    digest.update(mean.tobytes())
    return f"bias:{digest.hexdigest()}"


def _response(node: ir.Node, weight: Array, mean: Array) -> Array:
    """The node's output for one sample `mean`, weight replaced, bias left out; mean per channel."""
    from studio.compress.single import run_node

    out = run_node(node, [mean[None].astype(np.float32), weight.astype(np.float32)])
    axes = (0, *range(2, out.ndim))
    return np.asarray(out.mean(axis=axes, dtype=np.float64))
