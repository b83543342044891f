"""Budgets in, recipe out: solve over the measured curves, measure what comes out, solve again, breed on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from time import monotonic

from studio.artifact import Artifact
from studio.control import Control
from studio.data.samples import spread
from studio.errors import RecipeError
from studio.graph.model import Facts
from studio.metrics import Sensitivity
from studio.recipe.settings import Recipe, Settings
from studio.search import genetic
from studio.search.budgets import Wish
from studio.search.clock import Clock, Forecast
from studio.search.front import Found, Visited, choose, losses, steady
from studio.search.knapsack import Limits, solve
from studio.search.table import Table, uniform

UNIFORM = (8, 6, 4)
EVALUATIONS = 24
POPULATION = 16
_OTHERS, _CUTS, _RUNGS = (7, 5, 3, 2), (0.1, 0.3, 0.5), 8
_MARGIN = 64  # bytes by which an aim is moved further than the arithmetic missed
_WIDER, _STEPS = 1.8, 8

Asked = tuple[Recipe, str]
Measure = Callable[[Sequence[Asked], Control], Iterator[Visited]]
Size = Callable[[Recipe, Artifact], float]


@dataclass
class Search:
    """One search. `measure` builds and measures recipes (with their labels) and gives them in their order.

    `size` tells a recipe's bytes by arithmetic, given an artifact of the same model. `rows` are
    single-layer measurements; groups without any keep the reference's 8 bits. The solver's part
    measures at most `evaluations` files. The same arguments and figures give the same search, unless
    time runs out.
    """

    facts: Facts
    base: Recipe
    rows: Sequence[Sensitivity]
    wish: Wish
    measure: Measure
    size: Size
    control: Control
    emit: Callable[[Visited], None] = lambda _: None
    forecast: Forecast = lambda _: None
    evaluations: int = EVALUATIONS
    _seen: dict[Recipe, Visited] = field(default_factory=dict, init=False)

    @property
    def visited(self) -> tuple[Visited, ...]:
        """All that was measured, in order."""
        return tuple(self._seen.values())

    def run(self) -> Found:
        """Search, and return what was found; raises what `measure` raises, `Cancelled` between files."""
        if not self.rows:
            fix = "Run `trimtab sensitivity` on this model and data."
            raise RecipeError(self.facts.name, "nothing is known of its layers yet", fix)
        budgets, effort = self.wish.budgets, self.wish.effort
        if effort.genetic:
            genetic.demand()
        self._ends = monotonic() + 60 * effort.minutes if effort.minutes else float("inf")
        self._most, self._clock = self.evaluations, Clock(self.facts, self.wish, self.forecast)
        self._try_all([(uniform(self.base, bits), f"all at {bits} bits") for bits in UNIFORM])
        built = self.visited[0].artifact
        self._table = Table(self.facts, self.base, self.rows, lambda recipe: self.size(recipe, built))
        self._solve()
        if effort.genetic:
            self._breed()
        best = choose(self.visited, budgets)
        self.control.step(1.0, f"{len(self._seen)} recipes measured")
        return Found(best, best.excess(budgets), self.visited)

    # Solving and measuring in turns.

    def _solve(self) -> None:
        budgets = self.wish.budgets
        if budgets.max_bytes is not None:
            self._within_bytes(budgets.max_bytes)
        if budgets.max_drop is not None or budgets.max_bytes is None:
            self._within_drop(1.0 if budgets.max_drop is None else budgets.max_drop)
        self._polish()

    def _within_bytes(self, limit: int) -> None:
        """Least loss in so many bytes; the limit is moved by what the arithmetic missed."""
        aim, table = float(limit), self._table
        for _ in range(3):
            choice = solve(table.options, Limits(bytes=aim - table.start, time=self._time()))
            seen = None if choice is None else self._try(table.recipe(choice), f"at most {limit:,} bytes")
            if seen is None:
                self._try(table.recipe(table.smallest()), "the smallest of all")
                return
            if seen.artifact.bytes <= limit:
                return
            aim -= seen.artifact.bytes - limit + _MARGIN

    def _within_drop(self, limit: float) -> None:
        """Least bytes for so much loss; what the curves promise is stretched or shrunk to what comes."""
        low, high, aim = 0.0, None, max(limit, 0.1)
        for _ in range(_STEPS):
            choice = solve(self._table.options, Limits(loss=aim, time=self._time()))
            if choice is None:
                return
            seen = self._try(self._table.recipe(choice), f"expecting {aim:.2f} points less")
            if seen is None:
                return
            if seen.drop <= limit:
                low, aim = aim, aim * _WIDER if high is None else (aim + high) / 2
            else:
                high, aim = aim, (low + aim) / 2

    def _polish(self) -> None:
        """From the best so far, one group at a time one option on, as long as that is nearer the budgets."""
        budgets = self.wish.budgets
        best = choose(self.visited, budgets)
        if budgets.max_drop is None or best.drop > budgets.max_drop:
            return
        for name, settings in self._table.steps(best.recipe):
            seen = self._try(best.recipe.with_rule(name, settings), f"{name} to {_text(settings)}")
            if seen is None:
                return
            best = choose((best, seen), budgets)

    def _time(self) -> float | None:
        """The limit on the table's groups in time units."""
        whole = self._clock.limit(self.visited)
        table = self._table
        return None if whole is None else whole - self._clock.units(table.reference, table.groups)

    # Breeding.

    def _breed(self) -> None:
        """The whole front, from the best known so far: uniform recipes, the solver's, and their children.

        The children are at least half of the trials.
        """
        effort, table, known = self.wish.effort, self._table, len(self._seen)
        self._most = known + effort.trials // 2 if effort.trials else 1 << 30
        uniforms = self._try_all(self._uniforms())
        self._refine([each.artifact.bytes for each in uniforms])
        self._most = known + effort.trials if effort.trials else 1 << 30
        timed = all(each.latency is not None for each in self.visited)
        parents = [(table.genome(each.recipe), values) for each, values in self._parents(timed)]

        def measured(children: Sequence[genetic.Genome]) -> list[genetic.Values]:
            asked = [(table.bred(each), f"bred, {len(self._seen) + at}") for at, each in enumerate(children)]
            return self._values(self._try_all(asked), timed)

        if table.genes and len(parents) > 1 and not self._over:
            genetic.evolve([len(gene.stops) for gene in table.genes], parents, measured, effort.seed)

    def _uniforms(self) -> list[Asked]:
        table = self._table
        asked = [(table.uniform(bits), f"all at {bits} bits") for bits in (*UNIFORM, *_OTHERS)]
        if any(gene.name == "sparsity" for gene in table.genes):
            asked += [(table.uniform(8, cut), f"all at 8 bits, {cut:.0%} less") for cut in _CUTS]
        return asked

    def _refine(self, sizes: Sequence[int]) -> None:
        """Least loss in the bytes of each uniform file, and in steps down to the smallest of all.

        Once more for those that the arithmetic made too large.
        """
        least = self._table.start + sum(min(each.bytes for each in group) for group in self._table.options)
        steps = [least + (max(sizes, default=0) - least) * (rung / _RUNGS) ** 2 for rung in range(1, _RUNGS)]
        limits = sorted({*(float(size) for size in sizes), *steps}, reverse=True)
        missed = self._aimed(dict.fromkeys(limits, 0.0))
        self._aimed({limit: by + _MARGIN for limit, by in missed.items()})

    def _aimed(self, limits: Mapping[float, float]) -> dict[float, float]:
        """Measure the solver's answer for each limit in bytes, less so much; by how much each is missed."""
        table, asked = self._table, {}
        for limit, less in limits.items():
            choice = solve(table.options, Limits(bytes=limit - less - table.start, time=self._time()))
            if choice is not None:
                asked[limit] = (table.recipe(choice), f"at most {limit:,.0f} bytes")
        found = zip(asked, self._try_all(list(asked.values())), strict=False)
        return {limit: seen.artifact.bytes - limit for limit, seen in found if seen.artifact.bytes > limit}

    def _parents(self, timed: bool) -> list[tuple[Visited, genetic.Values]]:
        """The front, thinned evenly where it is long, so that neither end of it goes; else filled up."""
        front = steady(self.visited)
        thinned = [front[at] for at in spread(len(front), POPULATION)]
        rest = [each for each in self.visited if each not in front]
        chosen = [*thinned, *rest[: POPULATION - len(thinned)]]
        return list(zip(chosen, self._values(chosen, timed), strict=True))

    def _values(self, seen: Sequence[Visited], timed: bool) -> list[genetic.Values]:
        """What is to be small: bytes, the likely loss in the light of all that was measured, and time."""
        known = dict(zip(self._seen, losses(self.visited), strict=True))
        values = [(float(each.artifact.bytes), known[each.recipe]) for each in seen]
        return [
            (*value, each.latency or 0.0) if timed else value
            for value, each in zip(values, seen, strict=True)
        ]

    # Measuring.

    def _try(self, recipe: Recipe, label: str) -> Visited | None:
        """Measure a recipe, once; None where no more may be measured."""
        return next(iter(self._try_all([(recipe, label)])), None)

    def _try_all(self, asked: Sequence[Asked]) -> list[Visited]:
        """Measure those that are not known, and return them in order as far as the limits allow."""
        labels = {recipe: label for recipe, label in reversed(asked) if recipe not in self._seen}
        fresh = [(each, labels.pop(each)) for each, _ in asked if each in labels]
        fresh = [] if self._over else fresh[: self._most - len(self._seen)]
        for seen in self.measure(fresh, self._part(len(fresh))) if fresh else ():
            self._seen[seen.recipe] = self._clock.told(seen)
            self.emit(self._seen[seen.recipe])
            if self._over:
                break
        return [self._seen[each] for each, _ in takewhile(lambda each: each[0] in self._seen, asked)]

    @property
    def _over(self) -> bool:
        return bool(self._seen) and monotonic() >= self._ends

    def _part(self, count: int) -> Control:
        """The progress of the next `count` files."""
        done = len(self._seen)
        total = max(self.evaluations + self.wish.effort.trials, done + count)
        return self.control.part(done / total, (done + count) / total)


def _text(settings: Settings) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.given().items())
