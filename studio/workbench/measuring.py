"""Built files run: accuracy, latency, drift, kernels and weights."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from studio.control import Control
from studio.data.reference import DataRef
from studio.data.thumbnails import Thumbnail
from studio.errors import ModelError
from studio.metrics import Comparison, LatencyPair, LayerDrift, Prepared, SampleLook
from studio.recipe.settings import Settings
from studio.workbench.api import Candidate, Evaluation, Job, ModelRef
from studio.workbench.building import Building

PREPARED_BITS = (8, 4)


class Measuring(Building):
    """Runs what `Building` made beside the original."""

    def compare(
        self,
        model: ModelRef,
        candidate: Candidate,
        data: DataRef,
        emit: Callable[[Comparison], None],
        control: Control,
    ) -> Comparison:
        from studio.measure.accuracy import Effort, compare

        opened = self._model(model, control)
        dataset = self._dataset(data, opened.facts, control)
        effort = Effort(threads=self._threads, tight=self._tight)
        original, other = self._original(opened), self._source(candidate, control)
        runner = self._live.runner(other, dataset.facts.key, effort.threads) if candidate.artifact else None
        return compare(original, other, dataset, control, emit, effort, self._outputs, runner)

    def prepare(self, job: Job, layers: tuple[str, ...], control: Control) -> Prepared:
        from studio.measure.accuracy import Effort
        from studio.measure.prepare import prepare
        from studio.measure.sessions import built

        opened = self._model(job.model, control)
        if job.data is None:
            return Prepared(note="no data set is attached")
        artifact = self.build(job, control.part(0.0, 0.1))
        others = [self.build(each, control.part(0.1, 0.2)).path for each in _edits(job, layers)]
        return prepare(
            self._live,
            self._original(opened),
            built(artifact),
            others,
            self._dataset(job.data, opened.facts, control),
            control.part(0.2, 1.0),
            Effort(threads=self._threads),
            self._outputs,
        )

    def evaluate(
        self, model: ModelRef, data: DataRef, emit: Callable[[Evaluation], None], control: Control
    ) -> Evaluation:
        from studio.measure.accuracy import Effort, evaluate

        opened = self._model(model, control)
        dataset = self._dataset(data, opened.facts, control)
        path = Path(opened.facts.path)
        sha256, size = digest(path), path.stat().st_size

        def told(found: Comparison) -> Evaluation:
            return Evaluation(found.metric, found.original, sha256, size)

        found = evaluate(
            self._original(opened),
            dataset,
            control,
            lambda found: emit(told(found)),
            Effort(threads=self._threads),
            self._outputs,
        )
        return told(found)

    def drift(
        self, model: ModelRef, candidate: Candidate, data: DataRef, control: Control
    ) -> tuple[LayerDrift, ...]:
        from studio.measure.drift import layer_drift

        opened = self._model(model, control)
        dataset = self._dataset(data, opened.facts, control)
        sources = self._original(opened), self._source(candidate, control)
        return layer_drift(opened.facts, *sources, dataset, control, threads=self._threads)

    def latency(
        self, model: ModelRef, candidate: Candidate, data: DataRef | None, control: Control
    ) -> LatencyPair:
        from studio.measure.latency import Timing, latency_pair

        opened = self._model(model, control)
        inputs = self._need_samples(opened, data, 1, control)
        return latency_pair(self._original(opened).path, candidate.path, inputs, Timing(), control)

    def kernels(self, path: str, control: Control) -> tuple[tuple[str, int], ...]:
        from studio.measure.sessions import kernels

        control.check()
        return tuple(kernels(path).items())

    def thumbnails(
        self, model: ModelRef, data: DataRef, samples: tuple[int, ...], control: Control
    ) -> tuple[Thumbnail, ...]:
        from studio.data.thumbnails import thumbnail

        dataset, made = self._dataset(data, self._model(model, control).facts, control), []
        for place, sample in enumerate(samples):
            control.step(place / len(samples), "")
            values = next(iter(dataset.inputs(sample, sample + 1).values()))
            made.append(thumbnail(sample, values[0]))
        return tuple(each for each in made if each is not None)

    def look(self, model: ModelRef, data: DataRef, samples: tuple[int, ...], control: Control) -> SampleLook:
        from studio.measure.looking import look

        opened = self._model(model, control)
        dataset = self._dataset(data, opened.facts, control)
        return look(self._original(opened), dataset, samples, control, self._threads)


def _edits(job: Job, layers: tuple[str, ...]) -> tuple[Job, ...]:
    """The same job with other bits for `layers`: what their files have otherwise, an edit will change."""

    def edited(bits: int) -> Job:
        recipe = job.recipe
        for name in layers:
            recipe = recipe.with_rule(name, Settings(bits=bits))
        return replace(job, recipe=recipe)

    return tuple(edited(bits) for bits in PREPARED_BITS)


def digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(str(path), f"it cannot be read ({error.strerror})", "Check the path.") from error
