"""The examination: is there a loss, what speaks for which cause, and what does each fix really win."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.artifact import Artifact
from studio.control import Control
from studio.data.samples import Arrays, Dataset
from studio.doctor.chart import Chart
from studio.doctor.findings import CAUSES, Diagnosis, Evidence, Finding, Fix, Suspicion
from studio.doctor.preparing import preparing
from studio.doctor.spots import spots
from studio.doctor.suspects import general, specific
from studio.graph.model import Model
from studio.measure.accuracy import Effort, Original, Reading, compare
from studio.measure.drift import layer_drift
from studio.measure.outputs import OutputCache
from studio.measure.sessions import SessionSource, built
from studio.measure.tasks import is_scores
from studio.metrics import Comparison, Figure
from studio.recipe.resolve import Plan
from studio.recipe.settings import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

HARM = 0.5  # points: less is no loss worth a cure
_ALIKE, _CURED, _WORTH = 0.8, 0.8, 0.2  # shares of the best gain, and of the loss
_PROBE = 128
_ENOUGH, _NEARLY, _TINY = 16, 0.95, 1e-12  # weights of a channel that tell of a peak, and those that do not
_MANY = 2.81 / 1.96  # a dozen fixes are tried: Bonferroni's arm over that of one 95 % interval, rounded
Build = Callable[[Fix, Control], Artifact]
Emit = Callable[[Finding], None]


@dataclass(frozen=True)
class Patient:
    """What is examined. `build` makes the file of a fix; an empty one gives the file of now."""

    model: Model
    original: SessionSource
    recipe: Recipe
    plan: Plan
    dataset: Dataset
    build: Build
    threads: int = 1


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
    found = compare(patient.original, source, patient.dataset, control.part(0.1, 0.2), _quiet, effort, kept)
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


class Trials:
    """Builds and measures fixes; of each suspicion the fix that wins most stays.

    `loss` is in points of the same metric as the gains: without labels, the original's answers
    are the truth for both.
    """

    def __init__(
        self,
        patient: Patient,
        now: Artifact,
        found: Comparison,
        control: Control,
        emit: Emit,
        cache: OutputCache,
    ) -> None:
        self._patient, self._now, self._emit, self._cache = patient, now, emit, cache
        self._judged = Judged(patient.dataset, patient.original, cache, patient.threads)
        labelled = patient.dataset.facts.labelled
        self.loss = -(found if labelled else self._held(patient.original, now, control)).difference.value
        self.findings: list[Finding] = []
        self.count = 0

    @property
    def best(self) -> float:
        return max((each.gain.value for each in self.findings if each.gain), default=0.0)

    def go(self, suspicions: Iterable[Suspicion], control: Control) -> None:
        """Try every fix."""
        every = list(suspicions)
        for at, each in enumerate(every):
            part = control.part(at / len(every), (at + 1) / len(every))
            part.step(0.0, f"trying {len(each.fixes)} fixes for: {each.cause}")
            found = [self._tried(each, fix, part) for fix in each.fixes]
            proven = [finding for finding in found if self._proven(finding)]
            if proven:
                best = max(proven, key=lambda finding: finding.gain.value if finding.gain else 0.0)
                self.findings.append(best)
                self._emit(best)

    def _tried(self, suspicion: Suspicion, fix: Fix, control: Control) -> Finding:
        artifact = self._patient.build(fix, control.part(0.0, 0.0))
        self.count += 1
        gain = Figure(0.0, "pp", 0, "")
        if artifact.sha256 != self._now.sha256:
            gain = self._held(built(self._now), artifact, control.part(0.0, 0.0)).difference
        more = artifact.bytes - self._now.bytes
        return Finding(suspicion.cause, suspicion.where, suspicion.evidence, fix, gain, more)

    def _held(self, first: SessionSource, artifact: Artifact, control: Control) -> Comparison:
        effort = Effort(threads=self._patient.threads)
        return compare(first, built(artifact), self._judged, control, _quiet, effort, self._cache)

    def _proven(self, finding: Finding) -> bool:
        gain = finding.gain
        if gain is None or gain.low is None or gain.value < _WORTH * self.loss:
            return False
        return gain.value > _MANY * (gain.value - gain.low)


class Judged(Dataset):
    """`whole` with its labels, or, where it has none, with the original's answers in their place."""

    def __init__(self, whole: Dataset, original: SessionSource, cache: OutputCache, threads: int) -> None:
        super().__init__(whole.facts, whole.fixed_batch)
        self._whole = whole
        self._original = Original(original, whole, cache, threads)

    def inputs(self, start: int, stop: int) -> Arrays:
        return self._whole.inputs(start, stop)

    def labels(self, start: int, stop: int) -> NDArray[np.generic] | None:
        if self.facts.labelled:
            return self._whole.labels(start, stop)
        answers = self._original.outputs(start, stop, Reading(self._whole, start, stop))[0]
        if is_scores(answers):
            return np.asarray(answers.reshape(len(answers), -1).argmax(axis=1), np.int64)
        return answers.astype(np.float32)

    def origin(self, index: int) -> str:
        return self._whole.origin(index)

    def _calibration_inputs(self, start: int, stop: int) -> Arrays:
        return self._whole._calibration_inputs(start, stop)


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


def _quiet(found: Comparison) -> None:
    """Figures on the way are not told: the end counts."""
