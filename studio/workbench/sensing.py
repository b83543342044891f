"""Each setting of each group alone, built and measured: here, or by the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio import target
from studio.artifact import Artifact
from studio.control import Control
from studio.errors import DataError
from studio.metrics import Sensitivity
from studio.paths import data_dir
from studio.recipe.settings import Recipe
from studio.workbench.api import Job
from studio.workbench.measuring import Measuring

if TYPE_CHECKING:
    from studio.measure.sensitivity import Asked, Bench, Trial
    from studio.measure.sensitivity_store import Effect, SensitivityStore
    from studio.workbench.cluster import Crew


class Sensing(Measuring):
    """Sensitivity, and the crew of a cluster."""

    def sensitivity(
        self,
        job: Job,
        rounds: int,
        cluster: str,
        emit: Callable[[Sensitivity], None],
        control: Control,
    ) -> tuple[Sensitivity, ...]:
        with self._crew(job, cluster, control) as crew:
            return self._rows(job, rounds, emit, control, crew)

    def effect(self, job: Job, trial: Trial, order: str, control: Control) -> Effect:
        """What one setting does, `job` being the base that it is laid over; for workers of a cluster."""
        return self._trying(job, control).effect(trial, order, control)

    def _rows(
        self,
        job: Job,
        rounds: int,
        emit: Callable[[Sensitivity], None],
        control: Control,
        crew: Crew | None,
    ) -> tuple[Sensitivity, ...]:
        """Sensitivity, measured here or by the `crew`; what is known already is not asked of it."""
        import onnxruntime

        from studio.measure.live import Live
        from studio.measure.sensitivity import FEW, ROUNDS, sensitivity
        from studio.measure.sensitivity_store import SensitivityStore, store_name

        bench = self._trying(job, control)
        facts, data = self._model(job.model, control).facts, bench.dataset
        name = store_name(facts.key, data.facts.key, FEW.limit, onnxruntime.__version__)
        store = SensitivityStore((self._folder or data_dir()) / "sensitivity" / name)
        bench = replace(bench, store=store, live=Live(self._cut_budget // 4))
        measure = bench.effects if crew is None else _kept_effects(crew, job, store)
        loaded = target.load(job.recipe.target)
        return sensitivity(facts, bench, loaded, control, emit, ROUNDS[:rounds], measure)

    def _trying(self, job: Job, control: Control) -> Bench:
        """What builds and measures single settings laid over `job`."""
        from studio.measure.sensitivity import FEW, Bench

        opened = self._model(job.model, control)
        if job.data is None:
            raise DataError(opened.facts.name, "sensitivity is measured on data", "Attach a data set.")

        def build(recipe: Recipe, part: Control) -> Artifact:
            return self.build(replace(job, recipe=recipe), part)

        dataset, effort = self._dataset(job.data, opened.facts, control), replace(FEW, threads=self._threads)
        return Bench(
            self._original(opened), dataset, job.recipe, build, effort, self._outputs, live=self._live
        )

    @contextmanager
    def _crew(self, job: Job, cluster: str, control: Control) -> Iterator[Crew | None]:
        """The workers of a cluster by its address, None where that is empty."""
        from studio.graph.onnx_edge import external_files
        from studio.workbench.cluster import Crew, Files

        if not cluster:
            yield None
            return
        model = self._model(job.model, control)
        if job.data is None:
            raise DataError(model.facts.name, "workers need samples", "Attach a data set.")
        key = self._dataset(job.data, model.facts, control).facts.key
        files = Files(Path(job.model.path), job.model.key, external_files(model.ir), Path(job.data.path), key)
        with Crew(cluster, files) as crew:
            yield crew


def _kept_effects(
    crew: Crew, job: Job, store: SensitivityStore
) -> Callable[[Sequence[Asked]], Generator[Effect]]:
    def measured(asked: Sequence[Asked]) -> Generator[Effect]:
        for effect in crew.effects(job, asked):
            store.add(effect)
            yield effect

    return measured
