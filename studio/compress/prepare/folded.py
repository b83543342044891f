"""A model folded once, and cloned from then on: what a build begins with does not depend on its recipe."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.compress.digests import digest_of
from studio.compress.prepare.fold import fold
from studio.compress.prepare.widen import is_half, widen
from studio.compress.work import Work, array_of, over, start
from studio.graph.constants import is_constant
from studio.graph.model import Model
from studio.graph.onnx_edge import clone
from studio.recipe.resolve import Plan
from studio.target import Target

if TYPE_CHECKING:
    import onnx_ir as ir


def folded(model: Model, plan: Plan, target: Target, cache: MutableMapping[str, Any]) -> Work:
    """A fresh `Work` on a clone of the folded model; `cache` keeps the model by its content key.

    Raises `BuildError` as `start` and `fold` do.
    """
    wide = is_half(model.facts) and any(row.quantized for row in plan.layers)
    key = f"folded:{model.facts.key}:{target.opset_max}:{wide}"
    if key not in cache:
        first = start(model, plan, target)
        if wide:
            first.facts = widen(first.model, first.facts)
        fold(first)
        _note(first.model)
        cache[key] = first.model, first.facts
    graph, facts = cache[key]
    return over(clone(graph), facts, plan, target)


def _note(model: ir.Model) -> None:
    """What every build would find out, noted once for every clone; floats are read out of the protobuf."""
    import onnx_ir as ir

    for value in model.graph.initializers.values():
        array = array_of(value)
        if array is not None and array.dtype == np.float32:
            value.const_value = ir.Tensor(array, name=value.name)
        digest_of(value)
    for node in model.graph:
        for value in node.outputs:
            is_constant(value)
