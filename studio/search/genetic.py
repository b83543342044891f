"""The front of bytes against accuracy, bred from recipes that are known to be good."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from studio.errors import RecipeError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Genome = tuple[int, ...]
Values = tuple[float, ...]
_DRY = 6


def evolve(
    stops: Sequence[int],
    parents: Sequence[tuple[Genome, Values]],
    measure: Callable[[Sequence[Genome]], Sequence[Values]],
    seed: int,
) -> None:
    """Breed genomes (a stop below `stops[i]` each) that make all `values` small, the best kept as parents.

    `parents`, at least two, are the first generation. `measure` gets the children of a generation and
    gives the values of as many as it could measure, in their order; fewer than asked ends it, and so do
    six generations in which nothing new was bred. NSGA-II: K. Deb et al., IEEE Transactions on
    Evolutionary Computation 6 (2002), as in Optuna, asked and told. Raises what `measure` raises.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.NSGAIISampler(population_size=len(parents), seed=seed)
    study = optuna.create_study(sampler=sampler, directions=["minimize"] * len(parents[0][1]))
    space: dict[str, BaseDistribution] = {
        str(at): optuna.distributions.IntDistribution(0, count - 1) for at, count in enumerate(stops)
    }
    for genome, values in parents:
        study.enqueue_trial({str(at): stop for at, stop in enumerate(genome)})
        study.tell(study.ask(space), list(values))
    known, dry = {genome for genome, _ in parents}, 0
    while dry < _DRY:
        trials = [study.ask(space) for _ in parents]
        children = [tuple(int(trial.params[name]) for name in space) for trial in trials]
        found = measure(children)
        for trial, values in zip(trials, found, strict=False):
            study.tell(trial, list(values))
        if len(found) < len(children):
            return
        dry = 0 if set(children) - known else dry + 1
        known.update(children)


def demand() -> None:
    """Raise `RecipeError` where the library is not installed."""
    if importlib.util.find_spec("optuna") is None:
        fix = "Install it with: pip install 'trimtab[search]'; or leave --trials and --minutes out."
        raise RecipeError("genetic search", "Optuna is not installed", fix)
