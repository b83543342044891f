"""Every measured recipe as a dot of size against accuracy: those of the search and those of the history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from studio.metrics import Figure
from studio.project.changes import Measured
from studio.recipe.settings import Recipe
from studio.search.front import Visited

SPEEDS = 3  # classes of latency that a shape can tell


@dataclass(frozen=True, slots=True)
class Dot:
    """One recipe that was built and measured. `latency` is in ms, None where it was not timed.

    `front`: nothing measured beats it in both size and accuracy. `visited` is the search's, where it is one.
    """

    recipe: Recipe
    label: str
    bytes: int
    difference: Figure
    latency: float | None = None
    front: bool = False
    visited: Visited | None = None

    @property
    def loss(self) -> float:
        return -self.difference.value


def dots(
    recipes: Mapping[int, Recipe], history: Sequence[Measured], visited: Iterable[Visited]
) -> tuple[Dot, ...]:
    """The search's dots in their order, then those of the history; equal recipes give one.

    `recipes` are those of the history by revision.
    """
    found: dict[Recipe, Dot] = {}
    for each in visited:
        figure = each.comparison.difference
        found[each.recipe] = Dot(
            each.recipe, each.label, each.artifact.bytes, figure, each.latency, visited=each
        )
    for measured in history:
        recipe = recipes.get(measured.revision)
        if recipe is not None and measured.comparison is not None:
            known = found.get(recipe)
            time = measured.pair.optimized.p50 if measured.pair else known.latency if known else None
            label = known.label if known else measured.label
            figure = measured.comparison.difference
            seen = known.visited if known else None
            found[recipe] = Dot(recipe, label, measured.artifact.bytes, figure, time, visited=seen)
    return _marked(tuple(found.values()))


def speed_class(latency: float | None, all_: Sequence[Dot]) -> int | None:
    """0 (fastest third) … 2 (slowest third) among the timed dots; None where it was not timed."""
    times = sorted(dot.latency for dot in all_ if dot.latency is not None)
    if latency is None or not times:
        return None
    return min(sum(time < latency for time in times) * SPEEDS // len(times), SPEEDS - 1)


def speed_limits(all_: Sequence[Dot]) -> tuple[tuple[float, float], ...]:
    """Fastest and slowest of each class, in ms; classes without a dot are left out."""
    groups: dict[int, list[float]] = {}
    for dot in all_:
        place = speed_class(dot.latency, all_)
        if place is not None and dot.latency is not None:
            groups.setdefault(place, []).append(dot.latency)
    return tuple((min(each), max(each)) for _, each in sorted(groups.items()))


def _marked(all_: tuple[Dot, ...]) -> tuple[Dot, ...]:
    best, kept = float("inf"), set[Recipe]()
    for dot in sorted(all_, key=lambda dot: (dot.bytes, dot.loss)):
        if dot.loss < best:
            best = dot.loss
            kept.add(dot.recipe)
    return tuple(replace(dot, front=dot.recipe in kept) for dot in all_)
