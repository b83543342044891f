"""The verbs of the doctor: name the causes of a loss, and apply a fix that was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from studio.control import Cancelled, Control
from studio.data.reference import DataFacts
from studio.doctor import words
from studio.doctor.findings import Diagnosis, Finding
from studio.errors import RecipeError
from studio.project.changes import Changed, Measured
from studio.session.measuring import Measuring, ignore
from studio.workbench.api import ModelRef


class DoctorVerbs(Measuring):
    """An editor that asks why accuracy was lost."""

    def diagnose(self, control: Control, emit: Callable[[Finding], None] = ignore) -> Changed[Diagnosis]:
        """Causes of the loss of the current revision, the most probable first, each with a fix that was built
        and measured; raises `DataError` without data. Nothing is changed.
        """
        self._data()
        return self._tell(self.workbench.diagnose(self.job(), emit, control), set())

    def apply_fix(
        self, finding: Finding, control: Control, emit: Callable[[Measured], None] = ignore
    ) -> Changed[Measured]:
        """Apply the fix of `finding` as one step of undo, and measure it.

        Raises `RecipeError` where the fix is the user's to make, and what measuring raises.
        """
        fix, document = finding.fix, self.journal.document
        if not fix.applicable:
            raise RecipeError(words.cause(finding), "no recipe can mend it", f"{words.fix(finding)}.")
        data: DataFacts | None = document.data
        if fix.data is not None:
            data = self.workbench.attach(ModelRef.to(document.model), fix.data, control.part(0.0, 0.2))
        with self._lock:
            if self.journal.document is not document:
                raise Cancelled
            recipe = fix.recipe or document.recipe
            fresh = replace(document, recipe=recipe.keeping(document.recipe), data=data)
            label = f"doctor: {words.fix(finding)}"
            self._move(lambda journal: journal.record(fresh, label))
        return self.measure(control.part(0.2, 1.0), emit)
