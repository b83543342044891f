"""The verbs by which a file leaves: export, report and push."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from studio.control import Control
from studio.errors import ProjectError
from studio.paths import cache_dir
from studio.project import changes
from studio.project.changes import Changed, Measured
from studio.project.files import write_atomic
from studio.session.boards import BoardVerbs
from studio.session.measuring import Measuring
from studio.session.opening import job_of
from studio.workbench.api import Candidate, Goldens, Written

if TYPE_CHECKING:
    from studio.boards.package import Package
    from studio.boards.report import BoardRun, Pushed
    from studio.report import ReportData


class Outgoing(Measuring, BoardVerbs):
    """All verbs block; what leaves is the file that was measured."""

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

    def _report_data(self, control: Control) -> ReportData:
        from studio.report import ReportData, environment

        measured = self._fully_measured(control.part(0.0, 0.5))
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

    def _fully_measured(self, control: Control) -> Measured:
        """The figures of now; a state that was only timed so far is compared too, where there is data."""
        measured, data = self.measured, self.journal.document.data
        if measured is None or (measured.comparison is None and data is not None):
            self.measure(control)
            measured = self.measured
        assert measured is not None  # kept by `measure`
        return measured

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
