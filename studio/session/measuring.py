"""The verbs that build the file of the current revision and measure it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from msgspec.structs import replace as struct_replace

from studio import target
from studio.artifact import Artifact
from studio.control import Cancelled, Control
from studio.data.reference import DataRef
from studio.data.thumbnails import Thumbnail
from studio.errors import DataError
from studio.estimate import Miss
from studio.metrics import (
    DRAFT,
    Comparison,
    Figure,
    LatencyPair,
    LayerDrift,
    Prepared,
)
from studio.project import changes
from studio.project.changes import Changed, Measured
from studio.project.document import Document
from studio.project.journal import Step
from studio.recipe.resolve import Plan
from studio.session.opening import Opening, job_of
from studio.workbench.api import Candidate, Evaluation, Job

LEARNED = "round"


def ignore(value: object) -> None:
    """An `emit` for callers that want the end alone."""


class Measuring(Opening):
    """An editor whose recipe is built and measured. Verbs block; they raise what `Session` says."""

    def build(self, control: Control) -> Changed[Artifact]:
        """Build the real file of the current revision (at once where its bytes are known already)."""
        document = self.journal.document
        artifact = self.workbench.build(job_of(document), control)
        self._keep_artifact(document, artifact)
        return self._tell(artifact, {changes.ARTIFACT})

    def measure(self, control: Control, emit: Callable[[Measured], None] = ignore) -> Changed[Measured]:
        """Build, and run the file against the original on the data; `emit` gets the figures so far.

        Where learned rounding makes the file slow to build, figures of a draft without it come first:
        their source says so. Without data the size alone is measured. The finished figures go into
        the history.
        """
        step = self.journal.steps[self.journal.at]
        document, job = step.document, job_of(step.document)
        guessed = self.estimate(), self.estimate_difference()
        if job.data is not None and _learns(job, self.plan()):
            self._draft(step, control.part(0.0, 0.2), emit)
            control = control.part(0.2, 1.0)
        artifact = self.workbench.build(job, control.part(0.0, 0.4))
        self._keep_artifact(document, artifact)
        measured = Measured(document.revision, step.label, artifact)
        emit(measured)
        if job.data is not None:
            candidate = Candidate(artifact.path, artifact)

            note = target.doubt(artifact.target)

            def stream(comparison: Comparison) -> None:
                emit(replace(measured, comparison=replace(comparison, note=note)))

            rest = control.part(0.4, 1.0)
            comparison = self.workbench.compare(job.model, candidate, job.data, stream, rest)
            measured = replace(measured, comparison=replace(comparison, note=note))
        self._keep(measured)
        self._note_miss(measured, *guessed)
        return self._tell(measured, {changes.ARTIFACT, changes.HISTORY})

    def prepare(self, layers: Sequence[str], control: Control) -> Changed[Prepared]:
        """Get ready for edits of `layers` before the first one: their figures then come sooner.

        Call it when layers are selected; it changes nothing that is shown, and may be cancelled.
        """
        return self._tell(self.workbench.prepare(_quick(self.job()), tuple(layers), control), set())

    def _draft(self, step: Step, control: Control, emit: Callable[[Measured], None]) -> None:
        """Stream the figures of the file as it is without learned rounding; nothing of it is kept."""
        job = _quick(job_of(step.document))
        assert job.data is not None
        artifact = self.workbench.build(job, control.part(0.0, 0.3))
        measured = Measured(step.document.revision, step.label, artifact)

        def stream(found: Comparison) -> None:
            after = replace(found.optimized, source=DRAFT, final=False)
            change = replace(found.difference, source=DRAFT, final=False)
            emit(replace(measured, comparison=replace(found, optimized=after, difference=change)))

        candidate = Candidate(artifact.path, artifact)
        self.workbench.compare(job.model, candidate, job.data, stream, control.part(0.3, 1.0))

    def latency(self, control: Control) -> Changed[LatencyPair]:
        """Time the file of the current revision and the original on this computer, in turns."""
        step = self.journal.steps[self.journal.at]
        job = job_of(step.document)
        artifact = self.workbench.build(job, control.part(0.0, 0.3))
        self._keep_artifact(step.document, artifact)
        candidate = Candidate(artifact.path, artifact)
        pair = self.workbench.latency(job.model, candidate, job.data, control.part(0.3, 1.0))
        self._keep(Measured(step.document.revision, step.label, artifact, pair=pair))
        return self._tell(pair, {changes.ARTIFACT, changes.HISTORY})

    def compare(
        self, path: str | Path, control: Control, emit: Callable[[Comparison], None] = ignore
    ) -> Changed[Comparison]:
        """Any ONNX file against the open model, on the data at hand; raises `DataError` without data."""
        job = self.job()
        candidate = Candidate(str(path))
        found = self.workbench.compare(job.model, candidate, self._data(), emit, control)
        return self._tell(found, set())

    def drift(self, control: Control, path: str | Path = "") -> Changed[tuple[LayerDrift, ...]]:
        """Per-layer noise of the current artifact, or of the file at `path`, against the original.

        That of the current artifact stays in `state.drift`, with the revision that it is of.
        """
        candidate = Candidate(str(path))
        if not path:
            revision = self.state.revision
            artifact = self.build(control.part(0.0, 0.4)).value
            candidate = Candidate(artifact.path, artifact)
        found = self.workbench.drift(self.job().model, candidate, self._data(), control)
        if path:
            return self._tell(found, set())
        with self._lock:
            self._state = replace(self._state, drift=found, drift_revision=revision)
        return self._tell(found, {changes.DRIFT})

    def thumbnails(self, samples: tuple[int, ...], control: Control) -> Changed[tuple[Thumbnail, ...]]:
        """Pictures of these samples of the data at hand; none where they are no pictures."""
        found = self.workbench.thumbnails(self.job().model, self._data(), samples, control)
        return self._tell(found, set())

    def evaluate(self, control: Control, emit: Callable[[Evaluation], None] = ignore) -> Changed[Evaluation]:
        """The open model itself on the data at hand."""
        found = self.workbench.evaluate(self.job().model, self._data(), emit, control)
        return self._tell(found, set())

    def _data(self) -> DataRef:
        data = self.journal.document.data
        if data is None:
            raise DataError(self.facts.name, "no data set is attached", "Attach an .npz or image folders.")
        return data.ref

    def _keep_artifact(self, document: Document, artifact: Artifact) -> None:
        with self._lock:
            self._demand_current(document.revision)
            self._state = replace(self._state, artifact=artifact, artifact_revision=document.revision)

    def _keep(self, measured: Measured) -> None:
        with self._lock:
            self._demand_current(measured.revision)
            history = self._state.history
            known = {each.revision: each for each in history}.get(measured.revision)
            if known is None:
                self._state = replace(self._state, history=(*history, measured))
                return
            merged = tuple(_over(measured, known) if each is known else each for each in history)
            self._state = replace(self._state, history=merged)

    def _note_miss(self, measured: Measured, size: Figure, difference: Figure | None) -> None:
        """Keep how far the estimates made before this measurement were from it."""
        real, points = measured.artifact.bytes, None
        if measured.comparison is not None and difference is not None:
            points = difference.value - measured.comparison.difference.value
        miss = Miss(measured.revision, 100 * (size.value - real) / real, points)
        with self._lock:
            known = self._state.misses
            if all(each.revision != miss.revision for each in known):  # again, it would be no guess
                self._state = replace(self._state, misses=(*known, miss))

    def _demand_current(self, revision: int) -> None:
        if self._state.revision != revision:
            raise Cancelled


def _over(fresh: Measured, known: Measured) -> Measured:
    """`fresh`, with what only the older measurement of the same revision has."""
    return replace(
        fresh,
        comparison=fresh.comparison or known.comparison,
        pair=fresh.pair or known.pair,
        on_boards=fresh.on_boards or known.on_boards,
        held_out=fresh.held_out or known.held_out,
    )


def _quick(job: Job) -> Job:
    """The job without the repair that takes its time."""
    repair = tuple(name for name in job.recipe.repair if name != LEARNED)
    return replace(job, recipe=struct_replace(job.recipe, repair=repair))


def _learns(job: Job, plan: Plan) -> bool:
    """Whether learned rounding has a say in the file."""
    return LEARNED in job.recipe.repair and any(row.bits < 8 for row in plan.layers)
