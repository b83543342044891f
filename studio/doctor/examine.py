"""The examination: is there a loss, what speaks for which cause, and what does each fix really win."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from studio.control import Control
from studio.data.samples import Arrays, Dataset
from studio.doctor.chart import Chart
from studio.doctor.findings import CAUSES, Diagnosis, Evidence, Finding, Fix
from studio.doctor.preparing import preparing
from studio.doctor.spots import spots
from studio.doctor.suspects import general, specific
from studio.doctor.trials import Emit, Patient, Trials, quiet
from studio.graph.model import Model
from studio.measure.accuracy import Effort, compare
from studio.measure.drift import layer_drift
from studio.measure.outputs import OutputCache
from studio.measure.sessions import SessionSource, built
from studio.metrics import Comparison

HARM = 0.5  # points: less is no loss worth a cure
_ALIKE, _CURED = 0.8, 0.8  # shares of the best gain, and of the loss
_PROBE = 128
_ENOUGH, _NEARLY, _TINY = 16, 0.95, 1e-12  # weights of a channel that tell of a peak, and those that do not


def examine(patient: Patient, control: Control, emit: Emit, cache: OutputCache | None = None) -> Diagnosis:
    """Diagnose the file of now; `emit` gets each finding as it is proven.

    Every fix is built, and its file run against the file of now on all samples of the data: a finding
    stays where the paired gain is above 0, proven as for a dozen tries, and a fifth of the loss comes back.
    Layers that are merely sensitive are tried only where nothing more particular cures. Raises what building
    and measuring raise.
    """
    kept = cache if cache is not None else OutputCache()
    now = patient.build(Fix("now"), control.part(0.0, 0.1))
    source, effort = built(now), Effort(threads=patient.threads)
    found = compare(patient.original, source, patient.dataset, control.part(0.1, 0.2), quiet, effort, kept)
    ill, tried = preparing(
        patient.original, patient.dataset, found, control.part(0.2, 0.3), kept, patient.threads
    )
    if ill is not None:
        emit(ill)
        return Diagnosis(found, (ill,), (), tried)
    chart = _chart(patient, source, found, control.part(0.3, 0.4))
    if not _harmed(found):
        return Diagnosis(found, (), _vital(chart), tried)
    trials = Trials(patient, now, found, control.part(0.4, 0.4), emit, kept)
    trials.go(specific(chart), control.part(0.4, 0.8))
    if trials.best < _CURED * trials.loss:
        trials.go(general(chart), control.part(0.8, 1.0))
    return Diagnosis(found, ranked(trials.findings), _vital(chart), tried + trials.count)


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By gain; among those that win nearly as much as the best, the more particular cause first."""
    every = list(findings)
    best = max((_gain(each) for each in every), default=0.0)

    def place(finding: Finding) -> tuple[bool, int, float]:
        near = _gain(finding) >= _ALIKE * best
        return not near, CAUSES.index(finding.cause) if near else 0, -_gain(finding)

    return tuple(sorted(every, key=place))


def _gain(finding: Finding) -> float:
    return finding.gain.value if finding.gain is not None else 0.0


def _harmed(found: Comparison) -> bool:
    high = found.difference.high
    return high is not None and high < 0 and found.difference.value <= -HARM


def _chart(patient: Patient, source: SessionSource, found: Comparison, control: Control) -> Chart:
    facts, dataset, threads = patient.model.facts, patient.dataset, patient.threads
    drift = layer_drift(facts, patient.original, source, dataset, control.part(0.0, 0.5), threads=threads)
    return Chart(
        facts,
        patient.recipe,
        patient.plan,
        dataset.facts,
        found,
        drift,
        spots(facts, source, dataset, control.part(0.5, 1.0), threads),
        _reach(dataset),
        *_weights(patient.model),
    )


def _reach(dataset: Dataset) -> float:
    """Root mean square of the calibration samples over that of the evaluated ones."""
    if not dataset.facts.calibration_separate:
        return 1.0
    ours = _energy(next(dataset.calibration(_PROBE), {}))
    theirs = _energy(dataset.inputs(0, min(_PROBE, len(dataset))))
    return float(np.sqrt(ours / theirs)) if ours > 0 and theirs > 0 else 1.0


def _energy(arrays: Arrays) -> float:
    floats = [each for each in arrays.values() if np.issubdtype(each.dtype, np.floating)]
    return float(np.mean([np.square(each.astype(np.float64)).mean() for each in floats])) if floats else 0.0


def _weights(model: Model) -> tuple[dict[str, float], dict[str, float]]:
    """By layer: the widest over the middle channel, and the largest weight over nearly all of its channel."""
    from studio.compress.work import array_of
    from studio.graph.names import nodes_by_name

    nodes, spread, peaks = nodes_by_name(model.ir), {}, {}
    for layer in model.facts.layers:
        weight = array_of(nodes[layer.name].inputs[1])
        if weight is not None and weight.ndim > 1:
            channels = np.moveaxis(np.abs(weight.astype(np.float32)), layer.channel_axis, 0)
            rows = channels.reshape(len(channels), -1)
            reach = rows.max(axis=1)
            spread[layer.name] = float(reach.max() / max(float(np.median(reach)), _TINY))
            if rows.shape[1] >= _ENOUGH:
                most = np.quantile(rows, _NEARLY, axis=1)
                peaks[layer.name] = float((reach / np.maximum(most, _TINY)).max())
    return spread, peaks


def _vital(chart: Chart) -> tuple[Evidence, ...]:
    """How the file fares as a whole."""
    told = [row.sqnr_db for row in chart.drift if row.sqnr_db is not None]
    output = chart.comparison.sqnr_db
    figures = (
        Evidence("output", output, "dB") if output is not None else None,
        Evidence("worst", min(told), "dB") if told else None,
        Evidence("stretch", max(spot.stretch for spot in chart.spots), "×") if chart.spots else None,
    )
    return tuple(each for each in figures if each is not None)
