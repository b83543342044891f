"""A model folded once, and cloned from then on: what a build begins with does not depend on its recipe."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from studio.compress.fold import fold
from studio.compress.widen import is_half, widen
from studio.compress.work import Work, over, start
from studio.graph.constants import is_constant
from studio.graph.model import Model
from studio.graph.onnx_edge import clone
from studio.recipe.resolve import Plan
from studio.target import Target


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
        for node in first.model.graph:
            for value in node.outputs:
                is_constant(value)  # noted once, for every clone
        cache[key] = first.model, first.facts
    graph, facts = cache[key]
    return over(clone(graph), facts, plan, target)
