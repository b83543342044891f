"""Whether the samples are prepared as for training: the usual other ways, tried on the original itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import msgspec
import numpy as np

from studio.control import Control
from studio.data.adjusted import FOR_COLOURS, VALUES, Adjusted, channel_axis, steps, text
from studio.data.reference import Adjustment, DataFacts
from studio.data.samples import Dataset
from studio.doctor.chance import chance, near_chance, proven
from studio.doctor.findings import PREPROCESSING, Evidence, Finding, Fix
from studio.measure.accuracy import Original, Reading, batches, sample_count
from studio.measure.choose import metric_for
from studio.measure.outputs import OutputCache
from studio.measure.sessions import SessionSource
from studio.measure.tasks import TOP1
from studio.metrics import Comparison

_BOASTS = 25.0
_PROBE, _FINALISTS = 64, 3


def preparing(
    original: SessionSource,
    dataset: Dataset,
    found: Comparison,
    control: Control,
    cache: OutputCache,
    threads: int = 1,
) -> tuple[Finding | None, int]:
    """What is wrong with the original's accuracy, None where it is plausible; and how many ways were tried.

    It is implausible where it is near chance, or far below the confidence of the answers: then combinations
    of mistakes are tried, else single ones only.
    """
    classes = dataset.facts.classes
    if found.metric != TOP1 or classes < 2:
        return None, 0
    accuracy = found.original
    sure = _confidence(Original(original, dataset, cache, threads), dataset)
    lost = near_chance(accuracy, classes)
    implausible = lost or sure - accuracy.value >= _BOASTS
    evidence: tuple[Evidence, ...] = (
        Evidence("accuracy", accuracy.value, "%"),
        Evidence("chance", chance(classes), "%"),
        Evidence("confidence", sure, "%"),
    )
    ways = [how for how in adjustments(dataset.facts) if implausible or len(steps(how)) == 1]
    best = _best(original, dataset, ways, control, cache, threads)
    if best is not None:
        how, held = best
        evidence = (*evidence, Evidence("alternative", held.optimized.value, "%"))
        ref = replace(dataset.facts.ref, adjust=(*dataset.facts.ref.adjust, how))
        fix = Fix("preprocessing", text(how), data=ref)
        return Finding(PREPROCESSING, (), evidence, fix, held.difference), len(ways)
    ill = Finding(PREPROCESSING, (), evidence, Fix("check"), None) if lost else None
    return ill, len(ways) if implausible else 0


def _best(
    original: SessionSource,
    dataset: Dataset,
    ways: Sequence[Adjustment],
    control: Control,
    cache: OutputCache,
    threads: int,
) -> tuple[Adjustment, Comparison] | None:
    """The way that wins most, proven on all samples; None where none does.

    All meet the first samples; the best few that win there meet all. The simplest comes first among equals.
    """
    found = []
    for at, how in enumerate(ways):
        control.step(at / len(ways), f"preparing the samples with {text(how)}")
        found.append((_held(original, dataset, how, cache, threads, _PROBE), how))
    ranked = sorted(found, key=lambda each: -each[0].difference.value)[:_FINALISTS]
    last = [(how, _held(original, dataset, how, cache, threads)) for held, how in ranked if _gain(held) > 0]
    sure = [each for each in last if proven(each[1].difference)]
    return max(sure, key=lambda each: _gain(each[1])) if sure else None


def _gain(held: Comparison) -> float:
    return held.difference.value


def adjustments(facts: DataFacts) -> Iterator[Adjustment]:
    """The usual mistakes undone: of values, of the order of channels, of the layout; alone and together.

    The simplest first.
    """
    if not facts.dtype.startswith("float"):
        return
    shape = facts.sample_shape
    coloured = len(shape) == 3 and 3 in (shape[0], shape[-1])
    square = len(shape) == 3 and (shape[1] == shape[2] if channel_axis(shape) == 0 else shape[0] == shape[1])
    values = (*VALUES, *(FOR_COLOURS if coloured else ()))
    layouts = ("", *(("planes",) if coloured else ()), *(("sides",) if square else ()))
    exchanges = (False, True) if coloured else (False,)
    every = [
        msgspec.structs.replace(value, exchanged=exchanged, layout=layout)
        for value, exchanged, layout in product((Adjustment(), *values), exchanges, layouts)
    ]
    yield from sorted((how for how in every if how != Adjustment()), key=lambda how: len(steps(how)))


def _held(
    source: SessionSource,
    dataset: Dataset,
    how: Adjustment,
    cache: OutputCache,
    threads: int,
    limit: int = 0,
) -> Comparison:
    """The original on the first samples prepared otherwise, against itself on them as they are."""
    other = Adjusted(dataset, how)
    first, second = (Original(source, each, cache, threads) for each in (dataset, other))
    metric = None
    for start, stop in batches(dataset, sample_count(dataset, limit)):
        before = first.outputs(start, stop, Reading(dataset, start, stop))
        after = second.outputs(start, stop, Reading(other, start, stop))
        labels = dataset.labels(start, stop)
        metric = metric or metric_for(before, labels, source.label)
        metric.add(before, after, labels)
    assert metric is not None  # a data set holds at least one sample
    return metric.comparison(True)


def _confidence(model: Original, dataset: Dataset) -> float:
    """Mean share of the winning class in per cent; outputs that are no shares are taken as logits."""
    start, stop = next(iter(batches(dataset, len(dataset))))
    scores = model.outputs(start, stop, Reading(dataset, start, stop))[0].astype(np.float64)
    scores = scores.reshape(len(scores), -1)
    if scores.min() >= 0 and np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        return float(100 * scores.max(axis=1).mean())
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return float(100 * (1 / powers.sum(axis=1)).mean())
