"""What the inspector says of a layer: what was planned, what was built, what was refused."""

from __future__ import annotations

from studio.artifact import Artifact, LayerOutcome
from studio.graph.model import Facts
from studio.gui.figures.factsheet import Line
from studio.gui.layers.words import width_name
from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.metrics import ActivationView, WeightView
from studio.recipe.resolve import LayerPlan, Plan


def facts(
    model: Facts,
    plan: Plan,
    artifact: Artifact | None,
    name: str,
    view: WeightView | None,
    given: ActivationView | None = None,
) -> tuple[Line, ...]:
    """Names and texts, shortest first; refusals come last, for they are sentences."""
    layer, planned = model.by_name[name], plan.of(name)
    made = {each.layer: each for each in artifact.layers}.get(name) if artifact else None
    lines = [
        (T.fact_shape, f"{layer.op} {' × '.join(map(str, layer.weight_shape))}"),
        (T.fact_width, _widths(planned)),
        (T.fact_storage, _storage(made) if made else T.fact_building),
        *_sparsity(planned, view),
        *_noise(view),
        *_given(given),
        *((T.fact_refused, str(each)) for each in (made.refused if made else planned.refused)),
    ]
    return tuple((what, text) for what, text in lines if text)


def _widths(plan: LayerPlan) -> str:
    how = T.fact_widths.format(weights=width_name(plan.bits), activations=width_name(plan.activations))
    return f"{how}, {plan.granularity}" if plan.quantized else how


def _storage(made: LayerOutcome) -> str:
    return f"{made.storage}, {numbers.size(made.bytes)}"


def _sparsity(plan: LayerPlan, view: WeightView | None) -> list[Line]:
    zeros = T.fact_zeros.format(share=f"{view.zeros * 100:.1f} %") if view else ""
    gone = f"{numbers.percent(plan.sparsity)} ({plan.structure})" if plan.sparsity else ""
    return [(T.column_sparsity, ", ".join(filter(None, (gone, zeros))))]


def _noise(view: WeightView | None) -> list[Line]:
    if view is None:
        return []
    levels = [(T.fact_levels, str(len(view.grid)))] if view.grid else []
    return [*levels, *([(T.fact_noise, f"{view.sqnr_db:.1f} dB")] if view.sqnr_db is not None else [])]


def _given(given: ActivationView | None) -> list[Line]:
    """The grid of what it gives out, and how much of the original lies beyond it."""
    if given is None or not given.grid:
        return []
    low, high = (f"{end:.3g}".replace("-", numbers.MINUS) for end in (given.grid[0], given.grid[-1]))
    held = T.given_range_text.format(low=low, high=high, levels=len(given.grid))
    clipped = f"{given.clipped * 100:.2f} %"
    return [(T.given_range, held), *([(T.given_clipped, clipped)] if given.clipped > 0 else [])]
