"""Recipes that a search measured, and those among them that no other beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.artifact import Artifact
from studio.metrics import Comparison
from studio.recipe.settings import Recipe
from studio.search.budgets import Budgets, Excess, excesses
from studio.search.curves import likely


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
        """The front by what each is likely to cost on other samples, the smallest file first.

        Where many were measured on the same samples, the best of the plain front is partly the luckiest.
        """
        losses = likely([(each.drop, each.comparison.sqnr_db) for each in self.visited])
        kept: list[tuple[Visited, float]] = []
        for each, loss in sorted(
            zip(self.visited, losses, strict=True), key=lambda each: (each[0].artifact.bytes, each[1])
        ):
            if not kept or loss < kept[-1][1]:
                kept.append((each, loss))
        return tuple(each for each, _ in kept)


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
