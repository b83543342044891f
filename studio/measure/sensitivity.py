"""What one setting on one group does, all else as in the original, measured on files really built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from studio.artifact import Artifact
from studio.control import Control
from studio.data.samples import Dataset
from studio.graph.model import Facts
from studio.measure.accuracy import Effort, compare
from studio.measure.outputs import OutputCache
from studio.measure.sessions import SessionSource
from studio.metrics import Comparison, Sensitivity
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Settings
from studio.target import Target

STOPS = (Settings(bits=8), Settings(bits=4), Settings(sparsity=0.3))
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


def sensitivity(
    facts: Facts,
    original: SessionSource,
    dataset: Dataset,
    base: Recipe,
    target: Target,
    build: Build,
    control: Control,
    emit: Callable[[Sensitivity], None] = lambda _: None,
    stops: tuple[Settings, ...] = STOPS,
    effort: Effort = FEW,
    cache: OutputCache | None = None,
) -> tuple[Sensitivity, ...]:
    """Build and compare one file per group and stop, the largest groups first.

    `build` turns a recipe into an artifact of this model. Stops that `target` refuses a group are
    left out. `emit` gets each row when it is there. Raises what `build` and `compare` raise.
    """
    kept = cache if cache is not None else OutputCache()
    planned = tuple(_possible(trials(facts, stops), facts, base, target))
    rows: list[Sensitivity] = []
    for index, trial in enumerate(planned):
        control.step(index / len(planned), f"{trial.group}: {trial.text}")
        part = control.part(index / len(planned), (index + 1) / len(planned))
        artifact = build(trial.recipe(base), part.part(0, 0.6))
        source = SessionSource(artifact.path, artifact.sha256, f"{trial.group} with {trial.text}")
        found = compare(original, source, dataset, part.part(0.6, 1), lambda _: None, effort, kept)
        rows.append(_row(trial, artifact, found))
        emit(rows[-1])
    control.step(1.0, f"{len(rows)} settings measured")
    return tuple(rows)


def trials(facts: Facts, stops: tuple[Settings, ...]) -> tuple[Trial, ...]:
    """Every group with every stop, the groups with the most parameters first."""
    sizes: dict[str, int] = {}
    for layer in facts.layers:
        name = layer.group or layer.name
        sizes[name] = sizes.get(name, 0) + layer.params
    ranked = sorted(sizes.items(), key=lambda item: -item[1])
    return tuple(Trial(name, stop, params) for name, params in ranked for stop in stops)


def _possible(planned: tuple[Trial, ...], facts: Facts, base: Recipe, target: Target) -> Iterator[Trial]:
    seen = set()
    for trial in planned:
        plan = resolve(trial.recipe(base), facts, target, calibrated=True)
        rows = tuple((row.layer, row.bits, row.sparsity, row.structure) for row in plan.layers if row.touched)
        if rows and rows not in seen:
            seen.add(rows)
            yield trial


def _row(trial: Trial, artifact: Artifact, found: Comparison) -> Sensitivity:
    return Sensitivity(trial.group, trial.text, found.difference, found.sqnr_db, artifact.bytes)
