"""Fixes built and measured: what each of them really wins, on the samples and the labels that judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.artifact import Artifact
from studio.control import Control
from studio.data.samples import Arrays, Dataset
from studio.doctor.chance import proven
from studio.doctor.findings import Finding, Fix, Suspicion
from studio.graph.model import Model
from studio.measure.accuracy import Effort, Original, Reading, compare
from studio.measure.outputs import OutputCache
from studio.measure.sessions import SessionSource, built
from studio.measure.tasks import is_scores
from studio.metrics import Comparison, Figure
from studio.recipe.resolve import Plan
from studio.recipe.settings import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORTH = 0.2  # share of the loss that a fix must win back
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
        return compare(first, built(artifact), self._judged, control, quiet, effort, self._cache)

    def _proven(self, finding: Finding) -> bool:
        gain = finding.gain
        return gain is not None and gain.value >= _WORTH * self.loss and proven(gain)


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


def quiet(found: Comparison) -> None:
    """Figures on the way are not told: the end counts."""
