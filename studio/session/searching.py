"""The verbs that try many settings: sensitivity and search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from studio.control import Cancelled, Control
from studio.errors import WorkerError
from studio.metrics import ESTIMATED, Comparison, Sensitivity
from studio.project import changes
from studio.project.changes import Changed, Measured
from studio.project.document import Document
from studio.recipe.resolve import Plan
from studio.search.budgets import SOLVER, Budgets, Effort
from studio.search.front import Found, Visited
from studio.session.measuring import ignore
from studio.session.opening import job_of
from studio.session.racing import Racing
from studio.workbench.api import Job

EVERY_ROUND = 3
_DEATHS = 2  # a worker that dies more often will do so again


class Searching(Racing):
    """Long verbs; what they find by the time they are cancelled is kept."""

    def sensitivity(
        self,
        control: Control,
        emit: Callable[[Sensitivity], None] = ignore,
        rounds: int = EVERY_ROUND,
        cluster: str = "",
    ) -> Changed[tuple[Sensitivity, ...]]:
        """Effect of each group alone, at the stops of the first `rounds`, measured here or by the workers of
        the `cluster` at that address. What is found stays with the model, when it is cancelled too.

        Where the worker dies on the way, listeners are told, and it goes on in a new one with what is not
        measured yet.
        """
        document = self.journal.document
        rows: dict[tuple[str, str], Sensitivity] = {}

        def keep(row: Sensitivity) -> None:
            rows[row.group, row.setting] = row
            emit(row)

        try:
            found, notes = self._sensitivity(job_of(document), rounds, cluster, keep, control)
        except Cancelled:
            if len(rows) > len(self.state.sensitivity):
                self._keep_rows(document, tuple(rows.values()))
            raise
        self._keep_rows(document, found)
        return self._tell(found, {changes.SENSITIVITY}, notes)

    def _keep_rows(self, document: Document, rows: tuple[Sensitivity, ...]) -> None:
        with self._lock:
            if self.facts is not document.model:
                raise Cancelled
            self._state = replace(self._state, sensitivity=rows)

    def _sensitivity(
        self,
        job: Job,
        rounds: int,
        cluster: str,
        emit: Callable[[Sensitivity], None],
        control: Control,
    ) -> tuple[tuple[Sensitivity, ...], tuple[str, ...]]:
        notes: tuple[str, ...] = ()
        while True:
            try:
                return self.workbench.sensitivity(job, rounds, cluster, emit, control), notes
            except WorkerError as error:
                if cluster or len(notes) == _DEATHS:
                    raise
                notes = (*notes, f"{error.cause}; what was measured by then is kept")
                self._tell((), {changes.SENSITIVITY}, notes[-1:])  # at once, not when the rest is measured

    def search(
        self,
        budgets: Budgets,
        control: Control,
        emit: Callable[[Visited], None] = ignore,
        effort: Effort = SOLVER,
        sign: str = "",
    ) -> Changed[Found]:
        """Find a recipe that meets `budgets` and take it, as one step of undo; the nearest where none does.

        Every recipe measured on the way joins `state.visited` at once and stays there, also where the
        search is cancelled. An edit meanwhile ends it with `Cancelled`. `sign` is the path of the key that
        signs what a board is to time ("" = unsigned).
        """
        document = self.journal.document
        self._data()
        with self._lock:
            self._state = replace(self._state, visited=())

        def seen(each: Visited) -> None:
            self._saw(each, document)
            emit(each)

        found = self._search(job_of(document), budgets, effort, seen, control, sign)
        with self._lock:
            self._demand_current(document.revision)
            self._state = replace(self._state, visited=found.visited)
            self._take(found.best, found.judged)
        return self._tell(found, {changes.HISTORY, changes.ARTIFACT, changes.VISITED}, _notes(found))

    def take(self, visited: Visited) -> Changed[Plan]:
        """Go back to a recipe that a search measured, as one step of undo; its figures come along."""
        with self._lock:
            done = self._take(visited)
        return self._tell(done.value, {changes.HISTORY, changes.ARTIFACT})

    def _take(self, visited: Visited, held_out: Comparison | None = None) -> Changed[Plan]:
        done = self._edit(lambda _: visited.recipe, f"search: {visited.label}")
        step, comparison = self.journal.steps[self.journal.at], held_out or visited.comparison
        revision = step.document.revision
        self._keep(Measured(revision, step.label, visited.artifact, comparison, held_out=held_out))
        return done

    def _saw(self, visited: Visited, document: Document) -> None:
        """Add a dot, in place of an older one of the same recipe; nothing where another model came."""
        with self._lock:
            if self.journal.document.model is not document.model:
                raise Cancelled
            others = tuple(each for each in self._state.visited if each.recipe != visited.recipe)
            self._state = replace(self._state, visited=(*others, visited))
        self._tell(visited, {changes.VISITED})


def _notes(found: Found) -> tuple[str, ...]:
    """What must be said of a result: budgets that it misses, and what its figure is worth."""
    missed = tuple(str(each) for each in found.fails)
    if found.best.timed == ESTIMATED:
        missed = (*missed, "its time on the board is estimated from files that were timed there")
    n = found.best.comparison.difference.n
    if found.judged is None:
        return (*missed, f"chosen on the {n:,} samples that judge it, which flatters it")
    other = found.judged.difference
    text = f"chosen on {n:,} samples ({-found.best.drop:+.2f} points there), judged on {other.n:,} others"
    return (*missed, text)
