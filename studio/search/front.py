"""Recipes that a search measured, and those among them that no other beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.artifact import Artifact
from studio.metrics import Comparison
from studio.recipe.settings import Recipe
from studio.search.budgets import Budgets, Excess, excesses
from studio.search.likely import likely


@dataclass(frozen=True, slots=True)
class Visited:
    """A recipe, the file that was built of it and what was measured.

    `latency` in ms where a limit asked for it; `timed` is its source, as in `studio.metrics`.
    """

    recipe: Recipe
    label: str
    artifact: Artifact
    comparison: Comparison
    latency: float | None = None
    timed: str = ""

    @property
    def drop(self) -> float:
        """Points lost against the original."""
        return -self.comparison.difference.value

    def excess(self, budgets: Budgets) -> tuple[Excess, ...]:
        return excesses(budgets, self.drop, self.artifact.bytes, self.latency)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: the best that meets all budgets, or the nearest with what it `fails` by.

    `visited` holds all that was measured, in order. `judged` is the best on the samples that had no say
    in the choice, where they were held out.
    """

    best: Visited
    fails: tuple[Excess, ...]
    visited: tuple[Visited, ...]
    judged: Comparison | None = None

    @property
    def front(self) -> tuple[Visited, ...]:
        return pareto(self.visited)

    @property
    def steady(self) -> tuple[Visited, ...]:
        """The front that counts with luck: what is likely on other samples has a say as well.

        Where many were measured on the same samples, the best of the plain front is partly the luckiest.
        """
        return steady(self.visited)


def losses(visited: Sequence[Visited]) -> list[float]:
    """Points that each is likely to lose on other samples."""
    return likely([(each.comparison.difference, each.comparison.sqnr_db) for each in visited])


def steady(visited: Sequence[Visited]) -> tuple[Visited, ...]:
    """Those that nothing beats in bytes, in what was counted and in likely loss; the smallest file first.

    So luck in counting does not push out what is likely to be better, nor the other way round.
    """
    kept: list[tuple[Visited, float]] = []
    ranked = zip(visited, losses(visited), strict=True)
    for each, loss in sorted(ranked, key=lambda each: (each[0].artifact.bytes, each[0].drop, each[1])):
        if all(each.drop < other.drop or loss < known for other, known in kept):
            kept.append((each, loss))
    return tuple(each for each, _ in kept)


def likeliest(visited: Sequence[Visited], most: int) -> Visited | None:
    """Of files of at most so many bytes the one that is likely to lose least; None where all are larger."""
    small = [
        (loss, each)
        for each, loss in zip(visited, losses(visited), strict=True)
        if each.artifact.bytes <= most
    ]
    return min(small, key=lambda pair: (pair[0], pair[1].artifact.bytes))[1] if small else None


def pareto(visited: Sequence[Visited]) -> tuple[Visited, ...]:
    """Those that nothing beats in both bytes and accuracy, the smallest file first."""
    kept: list[Visited] = []
    for each in sorted(visited, key=lambda each: (each.artifact.bytes, each.drop)):
        if not kept or each.drop < kept[-1].drop:
            kept.append(each)
    return tuple(kept)


def choose(visited: Sequence[Visited], budgets: Budgets) -> Visited:
    """The best of those that meet all budgets, or the nearest to doing so.

    Where bytes are limited and accuracy is not, the most accurate; else the smallest.
    """
    meeting = [each for each in visited if not each.excess(budgets)]
    if not meeting:
        return min(visited, key=lambda each: (_distance(each, budgets), each.drop))
    if budgets.max_drop is None:
        return min(meeting, key=lambda each: (each.drop, each.artifact.bytes))
    return min(meeting, key=lambda each: (each.artifact.bytes, each.drop))


def _distance(each: Visited, budgets: Budgets) -> float:
    return sum(missed.by / max(missed.limit, 0.5) for missed in each.excess(budgets))
