"""Many recipes built and measured: the search and its candidates."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio import estimate, predict
from studio.artifact import Artifact
from studio.control import Control
from studio.errors import BuildError, DataError, WorkerError
from studio.metrics import Comparison
from studio.paths import data_dir
from studio.recipe.settings import Recipe
from studio.search.budgets import HERE, Wish
from studio.search.front import Found, Visited
from studio.search.store import VisitedStore, store_name
from studio.workbench.api import Candidate, Job
from studio.workbench.building import plan_of
from studio.workbench.sensing import Sensing

if TYPE_CHECKING:
    from studio.workbench.cluster import Crew

CHOOSING, JUDGING = 0, 1  # which half of the samples does what, where they are held out
COARSE = 2  # rounds of sensitivity that are enough to lay a curve through


class Searching(Sensing):
    """Long work over many recipes."""

    def search(self, job: Job, wish: Wish, emit: Callable[[Visited], None], control: Control) -> Found:
        from studio.search.search import Search

        facts = self._model(job.model, control).facts

        def size(recipe: Recipe, built: Artifact) -> float:
            return estimate.size(facts, plan_of(replace(job, recipe=recipe), facts), built).value

        def forecast(recipe: Recipe) -> float | None:
            if wish.table is None:
                return None
            told = predict.latency(facts, plan_of(replace(job, recipe=recipe), facts), wish.table)
            return None if told is None else told.value

        _demand_reachable(wish)
        with self._crew(job, wish.effort.cluster, control) as crew:
            rows = self._rows(job, COARSE, lambda _: None, control.part(0.0, 0.5), crew)
            visits = Visits(self, job, wish, self._store(job, wish, control), crew)
            part = control.part(0.5, 0.95)
            found = Search(facts, job.recipe, rows, wish, visits.measure, size, part, emit, forecast).run()
        return self._settled(job, wish, found, control.part(0.95, 1.0))

    def visit(self, job: Job, wish: Wish, control: Control) -> Visited:
        """Build and measure the recipe of `job`; its latency too where `wish` limits it here."""
        artifact = self.build(job, control.part(0.0, 0.5))
        found = self._compared(
            job, artifact, CHOOSING if wish.effort.holdout else None, control.part(0.5, 0.9)
        )
        if wish.budgets.max_latency is None or wish.budgets.place != HERE:
            return Visited(job.recipe, "", artifact, found)
        candidate = Candidate(artifact.path, artifact)
        pair = self.latency(job.model, candidate, job.data, control.part(0.9, 1.0))
        return Visited(job.recipe, "", artifact, found, pair.optimized.p50, pair.optimized.source)

    def artifact_path(self, path: str) -> str:
        """Where this workbench keeps a file that another one built at `path`."""
        return str(self._made("artifacts") / Path(path).name)

    def _settled(self, job: Job, wish: Wish, found: Found, control: Control) -> Found:
        """With the best built here, whoever measured it, and judged on the samples held out."""
        best = found.best
        chosen = replace(job, recipe=best.recipe)
        artifact = self.build(chosen, control.part(0.0, 0.5))
        if artifact.sha256 != best.artifact.sha256:
            cause = "the file that was measured is not the one that is built here"
            fix = "Run the same versions of Trimtab and onnxruntime everywhere, then search again."
            raise BuildError(best.label, cause, fix)
        found = replace(found, best=replace(best, artifact=artifact))
        if not wish.effort.holdout:
            return found
        return replace(found, judged=self._compared(chosen, artifact, JUDGING, control.part(0.5, 1.0)))

    def _compared(self, job: Job, artifact: Artifact, half: int | None, control: Control) -> Comparison:
        """The file against the original, on all samples or on one half of them."""
        from studio.data.halves import Half
        from studio.measure.accuracy import Effort, compare
        from studio.measure.sessions import built

        if job.data is None:
            raise DataError(artifact.path, "a search needs samples", "Attach a data set.")
        if half is None:
            candidate = Candidate(artifact.path, artifact)
            return self.compare(job.model, candidate, job.data, lambda _: None, control)
        opened = self._model(job.model, control)
        part = Half(self._dataset(job.data, opened.facts, control), half)
        source = built(artifact)
        effort, original = Effort(threads=self._threads), self._original(opened)
        found = compare(original, source, part, control, lambda _: None, effort, self._outputs)
        flips = tuple(replace(flip, sample=part.number(flip.sample)) for flip in found.flips)
        return replace(found, flips=flips)

    def _store(self, job: Job, wish: Wish, control: Control) -> VisitedStore:
        assert job.data is not None  # sensitivity has asked for it
        dataset = self._dataset(job.data, self._model(job.model, control).facts, control)
        part = f":{CHOOSING}/2" if wish.effort.holdout else ""
        name = store_name(job.model.key, f"{dataset.facts.key}{part}")
        store = VisitedStore((self._folder or data_dir()) / "search" / name)
        store.check(lambda recipe: self.build(replace(job, recipe=recipe), control.part(0.0, 0.0)).sha256)
        return store


@dataclass(frozen=True)
class Visits:
    """Measures what a search asks for: what `store` knows not again, the rest here or on a cluster."""

    bench: Searching
    job: Job
    wish: Wish
    store: VisitedStore
    crew: Crew | None = None

    def measure(self, asked: Sequence[tuple[Recipe, str]], control: Control) -> Iterator[Visited]:
        """In the order asked; every one is kept before it is given."""
        timed = self.wish.budgets.max_latency is not None and self.wish.budgets.place == HERE
        known = [self.store.find(recipe, timed) for recipe, _ in asked]
        parts = [control.part(at / len(asked), (at + 1) / len(asked)) for at in range(len(asked))]
        missing = [
            (replace(self.job, recipe=recipe), part)
            for (recipe, _), part, found in zip(asked, parts, known, strict=True)
            if found is None
        ]
        with closing(self._fresh(missing)) as fresh:
            for (_, label), part, found in zip(asked, parts, known, strict=True):
                part.step(0.0, label)
                if found is None:
                    found = next(fresh)
                    self.store.add(found)
                yield replace(found, label=label)

    def _fresh(self, jobs: Sequence[tuple[Job, Control]]) -> Generator[Visited]:
        if self.crew is None:
            for job, control in jobs:
                yield self.bench.visit(job, self.wish, control)
            return
        for seen in self.crew.visits(jobs, self.wish):
            place = self.bench.artifact_path(seen.artifact.path)
            yield replace(seen, artifact=replace(seen.artifact, path=place))


def _demand_reachable(wish: Wish) -> None:
    """Raises `WorkerError` where a cluster is asked for the time on this computer."""
    budgets = wish.budgets
    if wish.effort.cluster and budgets.max_latency is not None and budgets.place == HERE:
        fix = "Name a board (3ms@BOARD), or leave the cluster or the limit out."
        raise WorkerError("search", "workers elsewhere cannot tell the time on this computer", fix)
