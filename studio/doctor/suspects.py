"""From a chart to suspicions: each names a cause only where its own figures speak for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from msgspec.structs import replace as struct_replace

from studio.doctor.chart import Chart
from studio.doctor.findings import (
    BITS,
    ENDS,
    JOIN,
    LAYER,
    OUTLIER,
    PEAK,
    PRUNED,
    SAMPLES,
    SHIFT,
    SPREAD,
    Evidence,
    Fix,
    Suspicion,
)
from studio.recipe.settings import FLOAT, REPAIRS, Recipe, Settings

_SPREAD, _STRETCHED, _UNLIKE, _USED, _PEAKED = 6.0, 4.0, 8.0, 0.5, 8.0
_FEW, _ENOUGH, _MOST = 32, 200, 3


def specific(chart: Chart) -> Iterator[Suspicion]:
    """Causes with a fix of their own, which costs little or nothing."""
    if any(row.activations < FLOAT and not row.dynamic for row in chart.plan.layers):
        yield from _shift(chart)
        yield from _samples(chart)
        yield from _outliers(chart)
        yield from _joins(chart)
    yield from _spread(chart)
    yield from _peaks(chart)
    yield from _bits(chart)
    yield from _pruned(chart)


def general(chart: Chart) -> Iterator[Suspicion]:
    """Layers that lose much, whatever the reason: they can be kept wider."""
    touched = [row.layer for row in chart.plan.layers if row.bits == 8]
    if not touched:
        return
    ends = dict.fromkeys((touched[0], touched[-1]))
    falls = {layer: (fall, sqnr) for layer, fall, sqnr in chart.falls()}
    worst = [layer for layer in falls if layer in touched and layer not in ends][:_MOST]
    for layer in (*ends, *worst):
        fall, sqnr = falls.get(layer, (0.0, 0.0))
        seen = (Evidence("fall", fall, "dB"), Evidence("sqnr", sqnr, "dB")) if layer in falls else ()
        fix = Fix("bits", str(FLOAT), _ruled(chart.recipe, layer, Settings(bits=FLOAT)))
        yield Suspicion(ENDS if layer in ends else LAYER, (layer,), seen, (fix,))


def _shift(chart: Chart) -> Iterator[Suspicion]:
    """The calibration samples reach further, or less far, than those that are evaluated."""
    if chart.shifted:
        clipped = max((spot.clipped for spot in chart.spots), default=0.0)
        seen = (Evidence("shift", chart.reach, "×"), Evidence("clipped", 100 * clipped, "%"))
        yield Suspicion(SHIFT, (), seen, (_shared(chart),))


def _samples(chart: Chart) -> Iterator[Suspicion]:
    count = min(chart.recipe.calibration_samples, chart.data.calibration_n)
    if count >= _FEW:
        return
    clipped = max((spot.clipped for spot in chart.spots), default=0.0)
    seen = (Evidence("samples", count), Evidence("clipped", 100 * clipped, "%"))
    fixes = []
    if chart.recipe.calibration_samples < chart.data.calibration_n:
        more = min(_ENOUGH, chart.data.calibration_n)
        fixes.append(Fix("samples", str(more), struct_replace(chart.recipe, calibration_samples=_ENOUGH)))
    if chart.data.calibration_separate:
        fixes.append(_shared(chart))
    if fixes:
        yield Suspicion(SAMPLES, (), seen, tuple(fixes))


def _shared(chart: Chart) -> Fix:
    wide = struct_replace(chart.recipe, calibration_samples=max(chart.recipe.calibration_samples, _ENOUGH))
    return Fix("shared", recipe=wide, data=replace(chart.data.ref, shared=True))


def _outliers(chart: Chart) -> Iterator[Suspicion]:
    """A grid far wider than nearly all evaluated values, for the few that do reach its ends.

    One value among all samples is enough, so those looked at may hold none; a grid that is wide for
    calibration samples unlike the others is no such case.
    """
    wide = [spot for spot in chart.spots if spot.stretch > _STRETCHED and spot.layer]
    found = sorted(
        (spot for spot in wide if spot.used > _USED or not chart.shifted),
        key=lambda spot: -spot.stretch,
    )
    if not found:
        return
    recipe, layers = chart.recipe, tuple(dict.fromkeys(spot.layer for spot in found))
    fixes = [
        Fix("calibration", method, struct_replace(recipe, calibration=method))
        for method in ("percentile", "entropy", "average", "mse")
        if recipe.calibration != method
    ]
    readers = tuple(dict.fromkeys(reader for spot in found[:_MOST] for reader in spot.readers))
    fixes += [*_repairs(recipe), Fix("float", _names(readers), _floated(recipe, readers))]
    yield Suspicion(OUTLIER, layers, (Evidence("stretch", found[0].stretch, "×"),), tuple(fixes))


def _joins(chart: Chart) -> Iterator[Suspicion]:
    """What is joined goes on in float, so that each branch keeps its own scale."""
    found = [
        (max(spot.joined) / max(min(spot.joined), 1e-12), spot)
        for spot in chart.spots
        if len(spot.joined) > 1 and spot.readers
    ]
    unlike = sorted((each for each in found if each[0] > _UNLIKE), key=lambda each: -each[0])
    for ratio, spot in unlike[:_MOST]:
        fix = Fix("float", _names(spot.readers), _floated(chart.recipe, spot.readers))
        yield Suspicion(JOIN, spot.readers, (Evidence("ratio", ratio, "×"),), (fix,))


def _spread(chart: Chart) -> Iterator[Suspicion]:
    """Weights of one scale whose channels differ; activations that no repair evens out."""
    recipe = chart.recipe
    rows = [row for row in chart.plan.layers if row.quantized and row.granularity == "tensor"]
    wide = sorted(
        (row.layer for row in rows if chart.spread.get(row.layer, 1.0) > _SPREAD),
        key=lambda layer: -chart.spread[layer],
    )
    if wide:
        mended = recipe
        for layer in wide:
            mended = _ruled(mended, layer, Settings(granularity="channel"))
        seen = (Evidence("channels", chart.spread[wide[0]], "×"),)
        yield Suspicion(SPREAD, tuple(wide), seen, (Fix("granularity", recipe=mended), *_repairs(mended)))
    uneven = sorted(
        (spot for spot in chart.spots if spot.channels > _SPREAD and spot.layer),
        key=lambda spot: -spot.channels,
    )
    if uneven and (fixes := _repairs(recipe)):
        layers = tuple(dict.fromkeys(spot.layer for spot in uneven))
        yield Suspicion(SPREAD, layers, (Evidence("channels", uneven[0].channels, "×"),), fixes)


def _peaks(chart: Chart) -> Iterator[Suspicion]:
    """Weights so much larger than the others of their channel that these get few of its steps."""
    rows = {row.layer: row for row in chart.plan.layers if row.quantized and row.granularity == "channel"}
    peaked = sorted(
        (name for name in rows if chart.peaks.get(name, 1.0) > _PEAKED), key=lambda name: -chart.peaks[name]
    )
    for layer in peaked[:_MOST]:
        wider = 8 if rows[layer].bits < 8 else FLOAT
        fix = Fix("bits", str(wider), _ruled(chart.recipe, layer, Settings(bits=wider)))
        seen = (Evidence("peak", chart.peaks[layer], "×"),)
        yield Suspicion(PEAK, (layer,), seen, (*_repairs(chart.recipe), fix))


def _repairs(recipe: Recipe) -> tuple[Fix, ...]:
    """The repairs that even out channels, where they were left out."""
    missing = [name for name in ("equalize", "smooth", "split") if name not in recipe.repair]
    if not missing:
        return ()
    wanted = tuple(name for name in REPAIRS if name in (*recipe.repair, *missing))
    return (Fix("repair", ", ".join(missing), struct_replace(recipe, repair=wanted)),)


def _bits(chart: Chart) -> Iterator[Suspicion]:
    """The layers below 8 bits in which most of the noise comes in."""
    low = [each for each in chart.falls() if chart.plan.of(each[0]).bits < 8]
    for layer, fall, sqnr in low[:_MOST]:
        bits = chart.plan.of(layer).bits
        seen = (Evidence("bits", bits, "bit"), Evidence("fall", fall, "dB"), Evidence("sqnr", sqnr, "dB"))
        fix = Fix("bits", "8", _ruled(chart.recipe, layer, Settings(bits=8)))
        yield Suspicion(BITS, (layer,), seen, (fix,))


def _pruned(chart: Chart) -> Iterator[Suspicion]:
    """The groups that lost most; half of it may do."""
    lost: dict[str, float] = {}
    for row in chart.plan.layers:
        if row.sparsity > 0:
            lost.setdefault(row.group if row.structure == "channels" else row.layer, row.sparsity)
    for name, share in sorted(lost.items(), key=lambda each: -each[1])[:_MOST]:
        half = round(share / 2, 2)
        fix = Fix("sparsity", f"{100 * half:.0f}", _ruled(chart.recipe, name, Settings(sparsity=half)))
        group = chart.facts.group_of.get(name)
        layers = group.members if group is not None else (name,)
        yield Suspicion(PRUNED, layers, (Evidence("sparsity", 100 * share, "%"),), (fix,))


def _ruled(recipe: Recipe, pattern: str, settings: Settings) -> Recipe:
    return recipe.with_rule(pattern, settings)


def _floated(recipe: Recipe, layers: tuple[str, ...]) -> Recipe:
    for layer in layers:
        recipe = _ruled(recipe, layer, Settings(activations=FLOAT))
    return recipe


def _names(layers: tuple[str, ...]) -> str:
    return layers[0] if len(layers) == 1 else f"{layers[0]} + {len(layers) - 1}"
