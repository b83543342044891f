"""What each group of layers can become, with its cost in points, bytes and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from studio.graph.model import Facts
from studio.metrics import Sensitivity
from studio.recipe.settings import FLOAT, Recipe, Settings
from studio.search.clock import setting_of, units
from studio.search.curves import Curve, curves
from studio.search.knapsack import Option

EIGHT = Settings(bits=8)
# Steps between the measured ones: both searches take the widths, the genetic one the cuts as well.
_BETWEEN_BITS, _BETWEEN_CUTS = (5.0, 7.0), (0.1, 0.2, 0.4)
_WORTH = 64

Size = Callable[[Recipe], float]


@dataclass(frozen=True, slots=True)
class Gene:
    """One free choice of one group, smallest change first: its widths in bits, or its shares to remove."""

    group: str
    name: str
    stops: tuple[float, ...]


class Table:
    """The options of every group in `rows` (single-layer measurements), against all at 8 bits.

    `size` tells a recipe's bytes by arithmetic. Groups without rows stay at 8 bits.
    """

    def __init__(self, facts: Facts, base: Recipe, rows: Sequence[Sensitivity], size: Size) -> None:
        known = curves(rows)
        self._facts, self._base, self._size = facts, base, size
        self.groups = [name for name in _by_size(facts) if name in known]
        self.reference = self.uniform(8)
        self.start = size(self.reference)
        self.options = [self._of_group(name, known[name]) for name in self.groups]
        self.genes = tuple(gene for name in self.groups for gene in _genes(name, known[name]))

    def uniform(self, bits: int, cut: float = 0.0) -> Recipe:
        """Every layer at so many bits, `cut` of the channels removed where that can be."""
        return uniform(self._base, bits, cut)

    def recipe(self, choice: Sequence[int]) -> Recipe:
        """The recipe that takes option `choice[i]` for group i."""
        picked = zip(self.groups, self.options, choice, strict=True)
        return self._with({name: options[index].settings for name, options, index in picked})

    def bred(self, genome: Sequence[int]) -> Recipe:
        """The recipe that takes stop `genome[i]` of gene i."""
        given: dict[str, dict[str, float]] = {}
        for gene, index in zip(self.genes, genome, strict=True):
            given.setdefault(gene.group, {})[gene.name] = gene.stops[index]
        return self._with(
            {
                name: _settings(int(each.get("bits", 8)), each.get("sparsity", 0.0))
                for name, each in given.items()
            }
        )

    def genome(self, recipe: Recipe) -> tuple[int, ...]:
        """The stops nearest to what `recipe` gives each group."""
        return tuple(_nearest(gene, setting_of(recipe, gene.group)) for gene in self.genes)

    def smallest(self) -> tuple[int, ...]:
        sizes = [[option.bytes for option in each] for each in self.options]
        return tuple(each.index(min(each)) for each in sizes)

    def steps(self, recipe: Recipe) -> list[tuple[str, Settings]]:
        """The next smaller option of each group, those first that save most for what they cost."""
        steps = []
        for name, options in zip(self.groups, self.options, strict=True):
            at = setting_of(recipe, name)
            now = next((each for each in options if each.settings == at), None)
            smaller = [each for each in options if now is not None and each.bytes < now.bytes - _WORTH]
            if now is not None and smaller:
                worth = [((now.bytes - each.bytes) / (each.loss - now.loss + 0.02), each) for each in smaller]
                best, step = max(worth, key=lambda each: each[0])
                steps.append((best, name, step.settings))
        return [(name, settings) for _, name, settings in sorted(steps, key=lambda each: -each[0])]

    def _with(self, settings: Mapping[str, Settings]) -> Recipe:
        recipe = self.reference
        for name, each in settings.items():
            if each != EIGHT:
                recipe = recipe.with_rule(name, each)
        return recipe

    def _of_group(self, name: str, curve: Curve) -> list[Option]:
        widths = sorted({*curve.bits, *_between_bits(curve)}, reverse=True)
        settings = [_settings(int(bits), cut) for bits in widths for cut in sorted(curve.sparsity)]
        macs = sum(layer.macs or 0 for layer in self._facts.layers if name in (layer.group, layer.name))
        return [self._option(name, each, curve, macs) for each in settings]

    def _option(self, name: str, settings: Settings, curve: Curve, macs: int) -> Option:
        bits, cut = settings.bits or FLOAT, settings.sparsity or 0.0
        extra = self._size(self.reference.with_rule(name, settings)) - self.start
        return Option(settings, curve.loss(bits, cut), extra, units(macs, settings))


def uniform(base: Recipe, bits: int, cut: float = 0.0) -> Recipe:
    """What `base` says of target, calibration and repair, with the same settings for every layer."""
    return Recipe(
        target=base.target,
        default=_settings(bits, cut),
        calibration=base.calibration,
        calibration_samples=base.calibration_samples,
        repair=base.repair,
        locks=base.locks,
    )


def _genes(name: str, curve: Curve) -> list[Gene]:
    widths = {bits for bits in curve.bits if bits <= 8} | _between_bits(curve)
    most = max(curve.sparsity)
    cuts = {cut for cut in (*curve.sparsity, *_BETWEEN_CUTS) if cut <= most}
    genes = (
        Gene(name, "bits", tuple(sorted(widths, reverse=True))),
        Gene(name, "sparsity", tuple(sorted(cuts))),
    )
    return [gene for gene in genes if len(gene.stops) > 1]


def _between_bits(curve: Curve) -> set[float]:
    return {bits for bits in _BETWEEN_BITS if min(curve.bits) <= bits}


def _nearest(gene: Gene, settings: Settings) -> int:
    at = float(getattr(settings, gene.name) or 0.0)
    return min(range(len(gene.stops)), key=lambda index: abs(gene.stops[index] - at))


def _by_size(facts: Facts) -> list[str]:
    sizes: dict[str, int] = {}
    for layer in facts.layers:
        name = layer.group or layer.name
        sizes[name] = sizes.get(name, 0) + layer.params
    return sorted(sizes, key=lambda name: -sizes[name])


def _settings(bits: int, cut: float) -> Settings:
    return Settings(bits=bits, sparsity=cut) if cut else Settings(bits=bits)
