"""The verbs of the program. Window and command line are thin shells over this one object."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from studio.artifact import Artifact
from studio.control import Cancelled, Control
from studio.data.reference import DataFacts, DataRef
from studio.editor import Editor, State
from studio.errors import DataError
from studio.graph.model import Facts
from studio.metrics import Comparison, Latency, LayerDrift, Sensitivity
from studio.project import changes
from studio.project.changes import Changed, Measured
from studio.project.document import Document
from studio.project.journal import Journal
from studio.project.memory import Memory
from studio.recipe.settings import Recipe
from studio.workbench_api import Candidate, Evaluation, Job, ModelRef, Workbench, Written


def ignore(value: object) -> None:
    """An `emit` for callers that want the end alone."""


class Session(Editor):
    """Built once and handed down. Light verbs (see `Editor`) are instant; the heavy ones below block,
    take a `Control`, run on any thread and raise `StudioError` kinds or `Cancelled`.

    Newest wins: a result whose revision is no longer the current one is dropped with `Cancelled`.
    """

    def __init__(self, workbench: Workbench, memory: Memory | None = None) -> None:
        super().__init__()
        self.workbench = workbench
        self._memory = memory or Memory()
        self._openings = itertools.count(1)
        self._opening = 0

    # Opening.

    def open(self, path: str | Path, control: Control) -> Changed[Facts]:
        """Open a model, with the data set it was last used with. What was open stays until this succeeds."""
        ticket = self._opening = next(self._openings)
        facts = self.workbench.open(str(path), control.part(0.0, 0.8))
        data, notes = self._remembered(facts, control.part(0.8, 1.0))
        control.check()
        with self._lock:
            if ticket != self._opening:
                raise Cancelled
            self._state = self._begun(Document(facts, Recipe(), data))
        return self._tell(facts, {changes.MODEL, *_ALL}, notes)

    def _remembered(self, facts: Facts, control: Control) -> tuple[DataFacts | None, tuple[str, ...]]:
        ref = self._memory.data(facts.key)
        if ref is None:
            return None, ()
        try:
            return self.workbench.attach(ModelRef.to(facts), ref, control), ()
        except DataError as error:
            return None, (f"The data set used last time was left out: {error}",)

    def _begun(self, document: Document) -> State:
        before = self._state.journal
        return State(Journal.begin(document, after=before.last if before else 0))

    def attach_data(self, ref: DataRef, control: Control) -> Changed[DataFacts]:
        """Use a data set from now on, and remember it for this model."""
        model = self.facts
        data = self.workbench.attach(ModelRef.to(model), ref, control)
        with self._lock:
            if self.facts is not model:
                raise Cancelled
            before = self.journal
            after = before.record(replace(before.document, data=data), f"data {Path(ref.path).name}")
            self._state = replace(self._state, journal=after)
        self._memory.remember(model.key, ref)
        return self._tell(data, {changes.DATA, changes.JOURNAL})

    # Building and measuring.

    def job(self) -> Job:
        """The current document as a request to the workbench."""
        document = self.journal.document
        return _job(document)

    def build(self, control: Control) -> Changed[Artifact]:
        """Build the real file of the current revision (at once where its bytes are known already)."""
        document = self.journal.document
        artifact = self.workbench.build(_job(document), control)
        self._keep_artifact(document, artifact)
        return self._tell(artifact, {changes.ARTIFACT})

    def measure(self, control: Control, emit: Callable[[Measured], None] = ignore) -> Changed[Measured]:
        """Build, and run the file against the original on the data; `emit` gets the figures so far.

        Without data the size alone is measured. The finished figures go into the history.
        """
        step = self.journal.steps[self.journal.at]
        document, job = step.document, _job(step.document)
        artifact = self.workbench.build(job, control.part(0.0, 0.4))
        self._keep_artifact(document, artifact)
        measured = Measured(document.revision, step.label, artifact)
        emit(measured)
        if job.data is not None:
            candidate = Candidate(artifact.path, artifact)

            def stream(comparison: Comparison) -> None:
                emit(replace(measured, comparison=comparison))

            rest = control.part(0.4, 1.0)
            comparison = self.workbench.compare(job.model, candidate, job.data, stream, rest)
            measured = replace(measured, comparison=comparison)
        self._keep(measured)
        return self._tell(measured, {changes.ARTIFACT, changes.HISTORY})

    def latency(self, control: Control) -> Changed[Latency]:
        """Time the file of the current revision on this computer."""
        step = self.journal.steps[self.journal.at]
        artifact = self.workbench.build(_job(step.document), control.part(0.0, 0.5))
        self._keep_artifact(step.document, artifact)
        latency = self.workbench.latency(artifact.path, control.part(0.5, 1.0))
        known = self.measured or Measured(step.document.revision, step.label, artifact)
        self._keep(replace(known, latency=latency))
        return self._tell(latency, {changes.ARTIFACT, changes.HISTORY})

    def original_latency(self, control: Control) -> Latency:
        """Time the model as it was opened, on this computer."""
        return self.workbench.latency(self.facts.path, control)

    def sensitivity(
        self, control: Control, emit: Callable[[Sensitivity], None] = ignore
    ) -> Changed[tuple[Sensitivity, ...]]:
        """Effect of each group alone. What is found stays with the model."""
        document = self.journal.document
        found = self.workbench.sensitivity(_job(document), emit, control)
        with self._lock:
            if self.facts is not document.model:
                raise Cancelled
            self._state = replace(self._state, sensitivity=found)
        return self._tell(found, {changes.SENSITIVITY})

    def compare(
        self, path: str | Path, control: Control, emit: Callable[[Comparison], None] = ignore
    ) -> Changed[Comparison]:
        """Any ONNX file against the open model, on the data at hand; raises `DataError` without data."""
        job = self.job()
        candidate = Candidate(str(path))
        found = self.workbench.compare(job.model, candidate, self._data(), emit, control)
        return self._tell(found, set())

    def drift(self, control: Control, path: str | Path = "") -> Changed[tuple[LayerDrift, ...]]:
        """Per-layer noise of the current artifact, or of the file at `path`, against the original."""
        candidate = Candidate(str(path))
        if not path:
            artifact = self.build(control.part(0.0, 0.4)).value
            candidate = Candidate(artifact.path, artifact)
        found = self.workbench.drift(self.job().model, candidate, self._data(), control)
        return self._tell(found, set())

    def evaluate(self, control: Control, emit: Callable[[Evaluation], None] = ignore) -> Changed[Evaluation]:
        """The open model itself on the data at hand."""
        found = self.workbench.evaluate(self.job().model, self._data(), emit, control)
        return self._tell(found, set())

    def export(self, out: str | Path, control: Control) -> Changed[Written]:
        """Write the file of the current revision: byte for byte the one that was measured."""
        job = self.job()
        artifact = self.workbench.build(job, control.part(0.0, 0.5))
        written = self.workbench.export(artifact, str(out), job, control.part(0.5, 1.0))
        return self._tell(written, set())

    def close(self) -> None:
        """Let go of the workbench; the state stays readable."""
        self.workbench.close()

    # How.

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
            fresh = replace(measured, latency=measured.latency or known.latency)
            fresh = replace(fresh, comparison=fresh.comparison or known.comparison)
            merged = tuple(fresh if each is known else each for each in history)
            self._state = replace(self._state, history=merged)

    def _demand_current(self, revision: int) -> None:
        if self._state.revision != revision:
            raise Cancelled


_ALL = frozenset({changes.DATA, changes.RECIPE, changes.JOURNAL, changes.HISTORY, changes.SENSITIVITY})


def _job(document: Document) -> Job:
    data = document.data.ref if document.data else None
    return Job(ModelRef.to(document.model), document.recipe, data)
