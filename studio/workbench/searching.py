"""Many files built and measured: sensitivity and search."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio import estimate, target
from studio.artifact import Artifact
from studio.control import Control
from studio.errors import BuildError, DataError, WorkerError
from studio.metrics import Comparison, Sensitivity
from studio.paths import data_dir
from studio.recipe.settings import Recipe
from studio.search.budgets import HERE, Wish
from studio.search.front import Found, Visited
from studio.search.store import VisitedStore, store_name
from studio.workbench.api import Candidate, Job
from studio.workbench.building import plan_of
from studio.workbench.measuring import Measuring

if TYPE_CHECKING:
    from studio.workbench.cluster import Crew

CHOOSING, JUDGING = 0, 1  # which half of the samples does what, where they are held out
COARSE = 2  # rounds of sensitivity that are enough to lay a curve through


class Searching(Measuring):
    """Long work over many recipes."""

    def sensitivity(
        self, job: Job, rounds: int, emit: Callable[[Sensitivity], None], control: Control
    ) -> tuple[Sensitivity, ...]:
        from studio.measure.live import Live
        from studio.measure.sensitivity import FEW, ROUNDS, sensitivity
        from studio.measure.sensitivity_store import SensitivityStore, store_name

        opened = self._model(job.model, control)
        if job.data is None:
            raise DataError(opened.facts.name, "sensitivity is measured on data", "Attach a data set.")

        def build(recipe: Recipe, part: Control) -> Artifact:
            return self.build(replace(job, recipe=recipe), part)

        dataset = self._dataset(job.data, opened.facts, control)
        name = store_name(opened.facts.key, dataset.facts.key, job.recipe, FEW.limit)
        return sensitivity(
            opened.facts,
            self._original(opened),
            dataset,
            job.recipe,
            target.load(job.recipe.target),
            build,
            control,
            emit,
            ROUNDS[:rounds],
            effort=replace(FEW, threads=self._threads),
            cache=self._outputs,
            store=SensitivityStore((self._folder or data_dir()) / "sensitivity" / name),
            live=Live(self._cut_budget // 4),
        )

    def search(self, job: Job, wish: Wish, emit: Callable[[Visited], None], control: Control) -> Found:
        from studio.search.search import Search

        facts = self._model(job.model, control).facts
