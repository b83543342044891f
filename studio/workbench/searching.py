"""Many files built and measured: sensitivity and search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from studio import estimate, target
from studio.artifact import Artifact
from studio.control import Control
from studio.errors import DataError
from studio.metrics import Sensitivity
from studio.paths import data_dir
from studio.recipe.settings import Recipe
from studio.search.budgets import Budgets
from studio.search.front import Found, Visited
from studio.workbench.api import Candidate, Job
from studio.workbench.building import plan_of
from studio.workbench.measuring import Measuring

if TYPE_CHECKING:
    pass


class Searching(Measuring):
    """Long work over many recipes."""

    def sensitivity(
        self, job: Job, emit: Callable[[Sensitivity], None], control: Control
    ) -> tuple[Sensitivity, ...]:
        from studio.measure.live import Live
        from studio.measure.sensitivity import FEW, sensitivity
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
            effort=replace(FEW, threads=self._threads),
            cache=self._outputs,
            store=SensitivityStore((self._folder or data_dir()) / "sensitivity" / name),
            live=Live(self._cut_budget // 4),
        )

    def search(self, job: Job, budgets: Budgets, emit: Callable[[Visited], None], control: Control) -> Found:
        from studio.search.search import Search

        facts = self._model(job.model, control).facts
        rows = self.sensitivity(job, lambda _: None, control.part(0.0, 0.6))

        def measure(recipe: Recipe, label: str, part: Control) -> Visited:
            return self._visit(replace(job, recipe=recipe), label, budgets, part)

        def size(recipe: Recipe, built: Artifact) -> float:
            return estimate.size(facts, plan_of(replace(job, recipe=recipe), facts), built).value

        return Search(facts, job.recipe, rows, budgets, measure, size, control.part(0.6, 1.0), emit).run()

    def _visit(self, job: Job, label: str, budgets: Budgets, control: Control) -> Visited:
        """Build and measure a recipe; its latency too where a budget asks for it."""
        assert job.data is not None
        artifact = self.build(job, control.part(0.0, 0.4))
        candidate = Candidate(artifact.path, artifact)
        found = self.compare(job.model, candidate, job.data, lambda _: None, control.part(0.4, 0.9))
        latency = None
        if budgets.max_latency is not None:
            pair = self.latency(job.model, candidate, job.data, control.part(0.9, 1.0))
            latency = pair.optimized.p50
        return Visited(job.recipe, label, artifact, found, latency)
