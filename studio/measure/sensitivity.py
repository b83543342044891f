"""What one setting on one group does, all else as in the original, measured on files really built."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter

from studio.artifact import Artifact
from studio.control import Control
from studio.data.samples import Dataset
from studio.graph.model import Facts
from studio.measure.accuracy import Effort, compare
from studio.measure.live import Live
from studio.measure.outputs import OutputCache
from studio.measure.sensitivity_store import Effect, SensitivityStore, order_of
from studio.measure.sessions import SessionSource, built
from studio.metrics import Comparison, Sensitivity
from studio.recipe.resolve import Plan, resolve
from studio.recipe.settings import Recipe, Settings
from studio.target import Target

Stops = tuple[Settings, ...]


def _stops(bits: tuple[int, ...], tenths: tuple[int, ...]) -> Stops:
    return (*(Settings(bits=each) for each in bits), *(Settings(sparsity=each / 10) for each in tenths))


# Every stop of the sliders, in rounds over all groups: what tells most about a group comes first.
ROUNDS = (
    _stops((4, 8), (3,)),
    _stops((2, 3, 6), (5,)),
    _stops((5, 7, 1, 16), (1, 2, 4, 6, 7, 8, 9)),
)
FEW = Effort(limit=256)
Build = Callable[[Recipe, Control], Artifact]


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting for one group (a layer of no group counts as a group of its own)."""

    group: str
    settings: Settings
    params: int

    @property
    def text(self) -> str:
        """The setting as the command line writes it: `bits=4`."""
        return ",".join(f"{name}={value:g}" for name, value in self.settings.given().items())

    def recipe(self, base: Recipe) -> Recipe:
        """A recipe that asks for this alone, calibrated and repaired as `base` says."""
        return Recipe(
            target=base.target,
            calibration=base.calibration,
            calibration_samples=base.calibration_samples,
            repair=base.repair,
        ).with_rule(self.group, self.settings)


Asked = tuple[Trial, str, Control]  # with the order of its plan
Measure = Callable[[Sequence[Asked]], Generator[Effect]]


@dataclass(frozen=True, slots=True)
class Bench:
    """Builds and runs single settings, laid over `base`.

    Every new effect goes into `store` at once. `live` runs only what a setting changes. `build` turns a
    recipe into an artifact of the model whose file is `original`.
    """

    original: SessionSource
    dataset: Dataset
    base: Recipe
    build: Build
    effort: Effort
    outputs: OutputCache | None = None
    store: SensitivityStore | None = None
    live: Live | None = None

    def effects(self, asked: Sequence[Asked]) -> Generator[Effect]:
        """One after the other, each kept before it is given."""
        for each in asked:
            yield self.effect(*each)

    def effect(self, trial: Trial, order: str, part: Control) -> Effect:
        """Build the file, and run it where its bytes are not known yet."""
        artifact = self.build(trial.recipe(self.base), part.part(0, 0.6))
        source = built(artifact, f"{trial.group} with {trial.text}")
        run = f"{source.key} {source.way}".strip()
        known = self.store.same(run, order) if self.store is not None else None
        if known is not None:
            return known
        found = self._compared(source, part.part(0.6, 1))
        effect = Effect(order, run, found.difference, found.sqnr_db, artifact.bytes)
        if self.store is not None:
            self.store.add(effect)
        return effect

    def _compared(self, source: SessionSource, part: Control) -> Comparison:
        data, effort = self.dataset, self.effort
        runner = self.live.runner(source, data.facts.key, effort.threads) if self.live is not None else None
        return compare(self.original, source, data, part, lambda _: None, effort, self.outputs, runner)


def sensitivity(
    facts: Facts,
    bench: Bench,
    target: Target,
    control: Control,
    emit: Callable[[Sensitivity], None] = lambda _: None,
    rounds: tuple[Stops, ...] = ROUNDS,
    measure: Measure | None = None,
) -> tuple[Sensitivity, ...]:
    """Build and compare one file per group and stop: round by round, the largest groups first in each.

    What the store of `bench` knows is not measured again (its module says when it knows). `measure`
    takes its place, on a cluster; it gives effects in the order asked. Stops that `target` refuses a group
    are left out. `emit` gets each row when it is there. Raises what building and comparing raise.
    """
    every = tuple(trial for stops in rounds for trial in trials(facts, stops))
    planned = list(_possible(every, facts, bench.base, target))
    asked = [
        (trial, _order(plan, target, bench.dataset), control.part(at / len(planned), (at + 1) / len(planned)))
        for at, (trial, plan) in enumerate(planned)
    ]
    rows: list[Sensitivity] = []
    with closing(_effects(asked, bench.store, measure or bench.effects, control)) as effects:
        for (trial, _, _), found in zip(asked, effects, strict=True):
            rows.append(Sensitivity(trial.group, trial.text, found.difference, found.sqnr_db, found.bytes))
            emit(rows[-1])
    control.step(1.0, f"{len(rows)} settings measured")
    return tuple(rows)


def _effects(
    asked: Sequence[Asked], store: SensitivityStore | None, measure: Measure, control: Control
) -> Generator[Effect]:
    """What is known from `store`, the rest measured, in the order asked."""
    known = [store.find(order) if store is not None else None for _, order, _ in asked]
    missing = [each for each, found in zip(asked, known, strict=True) if found is None]
    began, fresh = perf_counter(), 0
    with closing(measure(missing)) as measured:
        for at, ((trial, _, _), found) in enumerate(zip(asked, known, strict=True)):
            left = _left(began, fresh, len(missing) - fresh)
            control.step(at / len(asked), f"{trial.group}: {trial.text}{left}")
            if found is None:
                found, fresh = next(measured), fresh + 1
            yield found


def _order(plan: Plan, target: Target, dataset: Dataset) -> str:
    return order_of(plan, target, dataset.calibration_key(plan.calibration_samples))


def trials(facts: Facts, stops: Stops) -> tuple[Trial, ...]:
    """Every group with every stop, the groups with the most parameters first."""
    sizes: dict[str, int] = {}
    for layer in facts.layers:
        name = layer.group or layer.name
        sizes[name] = sizes.get(name, 0) + layer.params
    ranked = sorted(sizes.items(), key=lambda item: -item[1])
    return tuple(Trial(name, stop, params) for name, params in ranked for stop in stops)


def _possible(
    planned: tuple[Trial, ...], facts: Facts, base: Recipe, target: Target
) -> Iterator[tuple[Trial, Plan]]:
    seen = set()
    for trial in planned:
        plan = resolve(trial.recipe(base), facts, target, calibrated=True)
        rows = tuple((row.layer, row.bits, row.sparsity, row.structure) for row in plan.layers if row.touched)
        if rows and rows not in seen:
            seen.add(rows)
            yield trial, plan


def _left(began: float, fresh: int, trials: int) -> str:
    """How long the rest will take, once a few settings were measured."""
    if fresh < 3:
        return ""
    seconds = (perf_counter() - began) / fresh * trials
    return f", about {seconds / 60:.0f} min left" if seconds >= 90 else f", about {seconds:.0f} s left"
