"""Times of candidates: what was measured, and what follows from it for those that were not."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace

from studio.graph.model import Facts
from studio.metrics import ESTIMATED, on_board
from studio.recipe.settings import FLOAT, Recipe, Settings
from studio.search.budgets import HERE, Timed, Wish
from studio.search.front import Visited

Forecast = Callable[[Recipe], float | None]
_INTEGER_TIME = 0.5


@dataclass(frozen=True)
class Clock:
    """Knows what `wish` limits, and what its board has told so far.

    `forecast` tells ms on that board by the table of its layers, None where there is no table.
    """

    facts: Facts
    wish: Wish
    forecast: Forecast

    def units(self, recipe: Recipe, without: Container[str] = ()) -> float:
        """Time in units of one float multiplication, over all layers but those of the groups `without`."""
        names = ((layer.group or layer.name, layer.macs or 0) for layer in self.facts.layers)
        return sum(units(macs, setting_of(recipe, name)) for name, macs in names if name not in without)

    def limit(self, visited: Sequence[Visited]) -> float | None:
        """The time limit in units, told by the nearest that has a time; None without a limit or times."""
        most = self.wish.budgets.max_latency
        known = [(each.latency, each.recipe) for each in visited if each.latency]
        if most is None or not known:
            return None
        ms, recipe = min(known, key=lambda each: abs(each[0] - most))
        return self.units(recipe) * most / ms

    def told(self, seen: Visited) -> Visited:
        """With its time on the board asked for: measured there, or in proportion to the nearest that was.

        The proportion is that of the forecasts, or of the time units. As it is where no board is asked
        for, or where nothing is known of it yet.
        """
        budgets, timed = self.wish.budgets, self.wish.timed
        if budgets.max_latency is None or budgets.place == HERE:
            return seen
        known = next((each.ms for each in timed if each.sha256 == seen.artifact.sha256), None)
        if known is not None:
            return replace(seen, latency=known, timed=on_board(budgets.place))
        guess = self.forecast(seen.recipe)
        if not timed:
            return seen if guess is None else replace(seen, latency=guess, timed=ESTIMATED)
        ms = _in_proportion(seen.recipe, timed, self.units if guess is None else self._forecast)
        return replace(seen, latency=ms, timed=ESTIMATED)

    def _forecast(self, recipe: Recipe) -> float:
        return self.forecast(recipe) or 0.0


def _in_proportion(recipe: Recipe, timed: Sequence[Timed], weigh: Callable[[Recipe], float]) -> float:
    """ms of `recipe`: those of the one of like weight that was timed, times the ratio of weights."""
    weight = weigh(recipe)
    near, other = min(((each, weigh(each.recipe)) for each in timed), key=lambda each: abs(each[1] - weight))
    return near.ms * weight / other if other > 0 else near.ms


def units(macs: int, settings: Settings) -> float:
    """Time units of so many multiplications: half for integers, none for what is removed."""
    share = _INTEGER_TIME if (settings.bits or FLOAT) <= 8 else 1.0
    return macs * (1 - (settings.sparsity or 0.0)) * share


def setting_of(recipe: Recipe, name: str) -> Settings:
    """What a recipe of this room gives a group: its own rule's, or what holds for all."""
    return next((rule.settings for rule in recipe.rules if rule.pattern == name), recipe.default)
