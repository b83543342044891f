"""The verbs by which a file leaves this program: export and report."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from studio.control import Control
from studio.errors import ProjectError
from studio.files import write_atomic
from studio.project import changes
from studio.project.changes import Changed, Measured
from studio.session.opening import job_of
from studio.session.pushing import Pushing
from studio.workbench.api import Written

if TYPE_CHECKING:
    from studio.report import ReportData


class Outgoing(Pushing):
    """All verbs block; what leaves is the file that was measured."""

    def export(self, out: str | Path, control: Control) -> Changed[Written]:
        """Write the file of the current revision: byte for byte the one that was measured."""
        document = self.journal.document
        job = job_of(document)
        artifact = self.workbench.build(job, control.part(0.0, 0.5))
        written = self.workbench.export(artifact, str(out), job, control.part(0.5, 1.0))
        with self._lock:
            exported = (*self._state.exported, (document.revision, written.path))
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
            held_out=measured.held_out,
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
