"""Budgets in, recipe out: solve over the measured curves, measure what comes out, solve again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from studio.artifact import Artifact
from studio.control import Control
from studio.errors import RecipeError
from studio.graph.model import Facts
from studio.metrics import Sensitivity
from studio.recipe.settings import FLOAT, Recipe, Settings
from studio.search.budgets import Budgets
from studio.search.curves import Curve, curves
from studio.search.front import Found, Visited, choose
from studio.search.knapsack import Limits, Option, solve

UNIFORM = (8, 6, 4)
EVALUATIONS = 24
_WIDER, _STEPS = 1.8, 8
_INTEGER_TIME = 0.5

Measure = Callable[[Recipe, str, Control], Visited]
Size = Callable[[Recipe, Artifact], float]


@dataclass
class Search:
    """One search. `measure` builds and measures a recipe.

    `size` tells a recipe's bytes by arithmetic, given an artifact of the same model. `rows` are
    single-layer measurements; groups without any keep the reference's 8 bits.
    """

    facts: Facts
    base: Recipe
    rows: Sequence[Sensitivity]
    budgets: Budgets
    measure: Measure
    size: Size
    control: Control
    emit: Callable[[Visited], None] = lambda _: None
    evaluations: int = EVALUATIONS
    visited: list[Visited] = field(default_factory=list)

    def run(self) -> Found:
        """Search, and return what was found; raises what `measure` raises, `Cancelled` between files."""
        if not self.rows:
            fix = "Run `trimtab sensitivity` on this model and data."
            raise RecipeError(self.facts.name, "nothing is known of its layers yet", fix)
        for bits in UNIFORM:
            self._try(self._uniform(bits), f"all at {bits} bits")
        self._prepare()
        if self.budgets.max_bytes is not None:
            self._within_bytes(self.budgets.max_bytes)
        if self.budgets.max_drop is not None or self.budgets.max_bytes is None:
            self._within_drop(1.0 if self.budgets.max_drop is None else self.budgets.max_drop)
        self._polish()
        best = choose(self.visited, self.budgets)
        self.control.step(1.0, f"{len(self.visited)} recipes measured")
        return Found(best, best.excess(self.budgets), tuple(self.visited))

    # The table of options.

    def _prepare(self) -> None:
        known = curves(self.rows)
        self._groups = [name for name in _by_size(self.facts) if name in known]
        self._reference = self._uniform(8)
        self._built = self.visited[0].artifact
        self._start = self.size(self._reference, self._built)
        self._options = [self._of_group(name, known[name]) for name in self._groups]

    def _of_group(self, name: str, curve: Curve) -> list[Option]:
        widths = sorted(curve.bits, reverse=True)
        settings = [_settings(int(bits), cut) for bits in widths for cut in sorted(curve.sparsity)]
        macs = sum(layer.macs or 0 for layer in self.facts.layers if name in (layer.group, layer.name))
        return [self._option(name, each, curve, macs) for each in settings]

    def _option(self, name: str, settings: Settings, curve: Curve, macs: int) -> Option:
        bits, cut = settings.bits or FLOAT, settings.sparsity or 0.0
        extra = self.size(self._reference.with_rule(name, settings), self._built) - self._start
        time = macs * (1 - cut) * (_INTEGER_TIME if bits <= 8 else 1.0)
        return Option(settings, curve.loss(bits, cut), extra, time)

    def _uniform(self, bits: int) -> Recipe:
        return _bare(self.base, Settings(bits=bits))

    def _recipe(self, choice: Sequence[int]) -> Recipe:
        recipe = self._reference
        for name, options, index in zip(self._groups, self._options, choice, strict=True):
            settings = options[index].settings
            if settings != Settings(bits=8):
                recipe = recipe.with_rule(name, settings)
        return recipe

    # Solving and measuring in turns.

    def _within_bytes(self, limit: int) -> None:
        """Least loss in so many bytes; the limit is moved by what the arithmetic missed."""
        aim = float(limit)
        for _ in range(3):
            choice = solve(self._options, Limits(bytes=aim - self._start, time=self._time()))
            seen = None if choice is None else self._try(self._recipe(choice), f"at most {limit:,} bytes")
            if seen is None:
                choice = self._smallest()
                self._try(self._recipe(choice), "the smallest of all")
                return
            if seen.artifact.bytes <= limit:
                return
            aim -= seen.artifact.bytes - limit + 64

    def _within_drop(self, limit: float) -> None:
        """Least bytes for so much loss; what the curves promise is stretched or shrunk to what comes."""
        low, high, aim = 0.0, None, max(limit, 0.1)
        for _ in range(_STEPS):
            choice = solve(self._options, Limits(loss=aim, time=self._time()))
            if choice is None:
                return
            seen = self._try(self._recipe(choice), f"expecting {aim:.2f} points less")
            if seen is None:
                return
            if seen.drop <= limit:
                low, aim = aim, aim * _WIDER if high is None else (aim + high) / 2
            else:
                high, aim = aim, (low + aim) / 2

    def _polish(self) -> None:
        """From the best so far, one group at a time one option on, as long as that is nearer the budgets."""
        best = choose(self.visited, self.budgets)
        if self.budgets.max_drop is None or best.drop > self.budgets.max_drop:
            return
        for name, settings in self._steps(best.recipe):
            seen = self._try(best.recipe.with_rule(name, settings), f"{name} to {_text(settings)}")
            if seen is None:
                return
            best = choose((best, seen), self.budgets)

    def _steps(self, recipe: Recipe) -> list[tuple[str, Settings]]:
        """The next smaller option of each group, those first that save most for what they cost."""
        steps = []
        for name, options in zip(self._groups, self._options, strict=True):
            at = _given(recipe, name)
            now = next((each for each in options if each.settings == at), None)
            smaller = [each for each in options if now is not None and each.bytes < now.bytes - 64]
            if now is not None and smaller:
                step = max(smaller, key=lambda each: (now.bytes - each.bytes) / (each.loss - now.loss + 0.02))
                steps.append(((now.bytes - step.bytes) / (step.loss - now.loss + 0.02), name, step.settings))
        return [(name, settings) for _, name, settings in sorted(steps, key=lambda each: -each[0])]

    def _try(self, recipe: Recipe, label: str) -> Visited | None:
        """Measure a recipe, once; None where no more may be measured."""
        known = next((each for each in self.visited if each.recipe == recipe), None)
        if known is not None:
            return known
        done = len(self.visited)
        if done >= self.evaluations:
            return None
        self.control.step(done / self.evaluations, label)
        part = self.control.part(done / self.evaluations, (done + 1) / self.evaluations)
        seen = self.measure(recipe, label, part)
        self.visited.append(seen)
        self.emit(seen)
        return seen

    def _smallest(self) -> tuple[int, ...]:
        sizes = [[option.bytes for option in each] for each in self._options]
        return tuple(each.index(min(each)) for each in sizes)

    def _time(self) -> float | None:
        """The limit in time units, told by what was timed last; None without a limit."""
        timed = next((each for each in reversed(self.visited) if each.latency), None)
        if self.budgets.max_latency is None or timed is None or not timed.latency:
            return None
        whole = sum(layer.macs or 0 for layer in self.facts.layers) * _INTEGER_TIME
        return whole * self.budgets.max_latency / timed.latency


def _bare(base: Recipe, default: Settings) -> Recipe:
    """What `base` says of target, calibration and repair, with `default` for every layer."""
    return Recipe(
        target=base.target,
        default=default,
        calibration=base.calibration,
        calibration_samples=base.calibration_samples,
        repair=base.repair,
    )


def _by_size(facts: Facts) -> list[str]:
    sizes: dict[str, int] = {}
    for layer in facts.layers:
        name = layer.group or layer.name
        sizes[name] = sizes.get(name, 0) + layer.params
    return sorted(sizes, key=lambda name: -sizes[name])


def _settings(bits: int, cut: float) -> Settings:
    return Settings(bits=bits, sparsity=cut) if cut else Settings(bits=bits)


def _given(recipe: Recipe, name: str) -> Settings:
    rule = next((rule.settings for rule in recipe.rules if rule.pattern == name), None)
    return rule or Settings(bits=8)


def _text(settings: Settings) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.given().items())
