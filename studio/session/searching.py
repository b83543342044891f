"""The verbs that try many settings: sensitivity and search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.control import Cancelled, Control
from studio.errors import WorkerError
from studio.metrics import (
    Sensitivity,
)
from studio.project import changes
from studio.project.changes import Changed, Measured
from studio.session.measuring import Measuring, ignore
from studio.session.opening import job_of
from studio.workbench.api import Job

if TYPE_CHECKING:
    from studio.search.budgets import Budgets
    from studio.search.front import Found, Visited

_DEATHS = 2  # a worker that dies more often will do so again


class Searching(Measuring):
    """Long verbs; what they find by the time they are cancelled is kept."""

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
