"""The doctor at work: fixes are built and measured like any other recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.artifact import Artifact
from studio.control import Control
from studio.errors import DataError
from studio.workbench.api import Job
from studio.workbench.building import plan_of
from studio.workbench.searching import Searching

if TYPE_CHECKING:
    from studio.doctor.findings import Diagnosis, Finding, Fix


class Diagnosing(Searching):
    """Looks for the cause of a loss."""

    def diagnose(self, job: Job, emit: Callable[[Finding], None], control: Control) -> Diagnosis:
        from studio.doctor.examine import examine
        from studio.doctor.trials import Patient

        opened = self._model(job.model, control)
        if job.data is None:
            raise DataError(opened.facts.name, "the doctor needs samples", "Attach a data set.")

        def build(fix: Fix, part: Control) -> Artifact:
            return self.build(replace(job, recipe=fix.recipe or job.recipe, data=fix.data or job.data), part)

        patient = Patient(
            opened,
            self._original(opened),
            job.recipe,
            plan_of(job, opened.facts),
            self._dataset(job.data, opened.facts, control),
            build,
            self._threads,
        )
        return examine(patient, control, emit, self._outputs)
