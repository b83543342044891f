"""The verbs of the program. Window and command line are thin shells over this one object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace as struct_replace

from studio.artifact import Artifact
from studio.board_verbs import BoardVerbs
from studio.control import Cancelled, Control
from studio.data.reference import DataRef
from studio.data.thumbnails import Thumbnail
from studio.errors import DataError, ProjectError, WorkerError
from studio.estimate import Miss
from studio.metrics import (
    DRAFT,
    Comparison,
    Figure,
    LatencyPair,
    LayerDrift,
    Prepared,
    Sensitivity,
    WeightView,
)
from studio.opening import Opening, job_of
from studio.paths import cache_dir
from studio.project import changes
from studio.project.changes import Changed, Measured
from studio.project.document import Document
from studio.project.files import write_atomic
from studio.project.journal import Step
from studio.project.memory import Memory
from studio.recipe.resolve import Plan
from studio.workbench_api import Candidate, Evaluation, Goldens, Job, Workbench, Written

if TYPE_CHECKING:
    from studio.boards.api import Boards
    from studio.boards.package import Package
    from studio.boards.report import BoardRun, Pushed
    from studio.report import ReportData
    from studio.search.budgets import Budgets
    from studio.search.front import Found, Visited


LEARNED = "round"
_DEATHS = 2  # a worker that dies more often will do so again


def ignore(value: object) -> None:
    """An `emit` for callers that want the end alone."""


class Session(Opening, BoardVerbs):
    """Built once and handed down. Light verbs (see `Editor`) are instant; the heavy ones below block,
    take a `Control`, run on any thread and raise `StudioError` kinds or `Cancelled`.

    Newest wins: a result whose revision is no longer the current one is dropped with `Cancelled`.
    """

    def __init__(
        self, workbench: Workbench, boards: Boards | None = None, memory: Memory | None = None
    ) -> None:
        super().__init__(workbench, memory)
        self._boards = boards

    # Building and measuring.

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

            def stream(comparison: Comparison) -> None:
                emit(replace(measured, comparison=comparison))

            rest = control.part(0.4, 1.0)
            comparison = self.workbench.compare(job.model, candidate, job.data, stream, rest)
            measured = replace(measured, comparison=comparison)
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
        known = self.measured or Measured(step.document.revision, step.label, artifact)
        self._keep(replace(known, pair=pair))
        return self._tell(pair, {changes.ARTIFACT, changes.HISTORY})

    def sensitivity(
        self, control: Control, emit: Callable[[Sensitivity], None] = ignore
    ) -> Changed[tuple[Sensitivity, ...]]:
        """Effect of each group alone. What is found stays with the model.

        Where the worker dies on the way, it goes on in a new one with what is not measured yet.
        """
        document = self.journal.document
        found, notes = self._sensitivity(job_of(document), emit, control)
        with self._lock:
            if self.facts is not document.model:
                raise Cancelled
            self._state = replace(self._state, sensitivity=found)
        return self._tell(found, {changes.SENSITIVITY}, notes)

    def _sensitivity(
        self, job: Job, emit: Callable[[Sensitivity], None], control: Control
    ) -> tuple[tuple[Sensitivity, ...], tuple[str, ...]]:
        notes: tuple[str, ...] = ()
        while True:
            try:
                return self.workbench.sensitivity(job, emit, control), notes
            except WorkerError as error:
                if len(notes) == _DEATHS:
                    raise
                notes = (*notes, f"{error.cause}; what was measured by then is kept")

    def search(
        self, budgets: Budgets, control: Control, emit: Callable[[Visited], None] = ignore
    ) -> Changed[Found]:
        """Find a recipe that meets `budgets` and take it, as one step of undo; the nearest where none does.

        Every recipe measured on the way stays in `state.visited`. An edit meanwhile ends it with
        `Cancelled`.
        """
        document = self.journal.document
        self._data()
        found = self.workbench.search(job_of(document), budgets, emit, control)
        with self._lock:
            self._demand_current(document.revision)
            self._state = replace(self._state, visited=found.visited)
            self._edit(lambda _: found.best.recipe, f"search: {found.best.label}")
            step = self.journal.steps[self.journal.at]
            best = found.best
            self._keep(Measured(step.document.revision, step.label, best.artifact, best.comparison))
        notes = tuple(str(each) for each in found.fails)
        return self._tell(found, {changes.HISTORY, changes.ARTIFACT}, notes)

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

    def weights(self, layer: str, control: Control) -> Changed[WeightView]:
        """The weights of one layer in the file of the current revision, beside the uncompressed ones."""
        return self._tell(self.workbench.weights(self.job(), layer, control), set())

    def thumbnails(self, samples: tuple[int, ...], control: Control) -> Changed[tuple[Thumbnail, ...]]:
        """Pictures of these samples of the data at hand; none where they are no pictures."""
        found = self.workbench.thumbnails(self.job().model, self._data(), samples, control)
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
        with self._lock:
            exported = (*self._state.exported, (self._state.revision, written.path))
            self._state = replace(self._state, exported=exported)
        return self._tell(written, {changes.EXPORTED})

    def report(self, out: str | Path, control: Control) -> Changed[Path]:
        """Write what is known of the current revision as one self-contained HTML page.

        Measures what is not measured yet; raises `ProjectError` where the page cannot be written.
        """
        from studio.report import render

        page = render(self._report_data(control))
        try:
            write_atomic(Path(out), page.encode())
        except OSError as error:
            cause = f"the report cannot be written ({error.strerror})"
            raise ProjectError(str(out), cause, "Choose another path.") from error
        return self._tell(Path(out), set())

    def push(
        self, board: str, control: Control, confirm: bool = False, allow_unproved: bool = False
    ) -> Changed[Pushed]:
        """Push the file of the current revision with golden samples, and run it there; raises `BoardError`.

        What the board measured joins the figures of this revision.
        """
        document = self.journal.document
        artifact = self.workbench.build(job_of(document), control.part(0.0, 0.2))
        pushed = self._push(board, Candidate(artifact.path, artifact), control, confirm, allow_unproved)
        self._keep_run(document.revision, pushed.run)
        return self._tell(pushed, {changes.BOARDS, changes.HISTORY})

    def push_opened(
        self, board: str, control: Control, confirm: bool = False, allow_unproved: bool = False
    ) -> Changed[Pushed]:
        """Push the open file just as it lies there, whatever the recipe says."""
        candidate = Candidate(self.facts.path)
        return self._tell(self._push(board, candidate, control, confirm, allow_unproved), {changes.BOARDS})

    def _push(
        self, board: str, candidate: Candidate, control: Control, confirm: bool, allow_unproved: bool
    ) -> Pushed:
        job = self.job()
        goldens = self.workbench.goldens(job.model, candidate, job.data, control.part(0.2, 0.3))
        packed = self._package(candidate, goldens)
        rest = control.part(0.3, 1.0)
        return self.boards.push(board, packed, rest, confirm=confirm, allow_unproved=allow_unproved)

    def close(self) -> None:
        """Let go of the workbench and the boards; the state stays readable."""
        self.workbench.close()
        self.close_boards()

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

    def _report_data(self, control: Control) -> ReportData:
        from studio.report import ReportData, environment

        measured = self.measured or self.measure(control.part(0.0, 0.5)).value
        document, state = self.journal.document, self.state
        drift = self.drift(control.part(0.5, 0.9)).value if document.data else ()
        return ReportData(
            model=document.model,
            recipe=document.recipe,
            artifact=measured.artifact,
            data=document.data,
            comparison=measured.comparison,
            drift=drift,
            pair=measured.pair,
            sensitivity=state.sensitivity,
            boards=tuple(run for revision, run in state.board_runs if revision == measured.revision),
            kernels=self.workbench.kernels(measured.artifact.path, control.part(0.9, 1.0)),
            environment=environment(),
            out=next((path for revision, path in state.exported if revision == measured.revision), ""),
            made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        )

    def _package(self, candidate: Candidate, goldens: Goldens) -> Package:
        from studio.boards.package import QUANTIZED_TOLERANCE, package

        folder = cache_dir() / "packages" / Path(goldens.path).stem
        measured = self.measured
        accuracy = measured.comparison.optimized if measured and measured.comparison else None
        stem = self.facts.name or Path(self.facts.path).stem
        meta: dict[str, object] = {"model": f"{stem}.onnx"}
        if candidate.artifact is not None and accuracy is not None:
            meta |= {"accuracy": round(accuracy.value, 3), "samples": accuracy.n}
        model = candidate.artifact or Path(candidate.path)
        return package(model, Path(goldens.path), folder, tolerance=QUANTIZED_TOLERANCE, meta=meta)

    def _keep_run(self, revision: int, run: BoardRun) -> None:
        """Put a board's times beside what else is known of the revision, which may be a past one by now."""
        latency = run.latency()
        with self._lock:
            runs = (*self._state.board_runs, (revision, run))
            self._state = replace(self._state, board_runs=runs)
            known = {each.revision: each for each in self._state.history}.get(revision)
            if latency is None or known is None:
                return
            others = tuple(each for each in known.on_boards if each.source != latency.source)
            fresh = replace(known, on_boards=(*others, latency))
            history = tuple(fresh if each is known else each for each in self._state.history)
            self._state = replace(self._state, history=history)

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
    )


def _quick(job: Job) -> Job:
    """The job without the repair that takes its time."""
    repair = tuple(name for name in job.recipe.repair if name != LEARNED)
    return replace(job, recipe=struct_replace(job.recipe, repair=repair))


def _learns(job: Job, plan: Plan) -> bool:
    """Whether learned rounding has a say in the file."""
    return LEARNED in job.recipe.repair and any(row.bits < 8 for row in plan.layers)
