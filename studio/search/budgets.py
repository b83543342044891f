"""What a search may spend: accuracy, bytes and time of the file, and how long it may look."""

from __future__ import annotations

import re
from dataclasses import dataclass

from studio.errors import RecipeError
from studio.layer_times import LayerTable
from studio.recipe.settings import Recipe

_UNITS = {"": 1, "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_UNITS |= {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

HERE = "here"
_FORMS = {"max_drop": "{:.2f} points", "max_bytes": "{:,.0f} bytes", "max_latency": "{:.3g} ms"}


@dataclass(frozen=True, slots=True)
class Budgets:
    """Limits; None where there is none. `max_drop` in points against the original, `max_latency` in
    milliseconds at batch 1 at `place`: this computer, or a board by its name.
    """

    max_drop: float | None = None
    max_bytes: int | None = None
    max_latency: float | None = None
    place: str = HERE

    @property
    def limited(self) -> bool:
        return (self.max_drop, self.max_bytes, self.max_latency) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look beyond the solver's answers: genetically, over bits × channels.

    `trials` files are built and measured for it (0: as many as `minutes` allow, none without minutes);
    the whole search ends once `minutes` are over (0: no such end). Equal `seed`, equal search. `holdout`
    chooses on one half of the samples and measures the chosen on the other. `cluster` is the address of
    a Dask scheduler whose workers build and measure ("": here).
    """

    trials: int = 0
    minutes: float = 0.0
    seed: int = 0
    holdout: bool = False
    cluster: str = ""

    @property
    def genetic(self) -> bool:
        return self.trials > 0 or self.minutes > 0


SOLVER = Effort()  # the solver's answers, measured and refined, alone


@dataclass(frozen=True, slots=True)
class Timed:
    """A recipe whose file, known by its digest, was timed on a board: median in ms."""

    recipe: Recipe
    sha256: str
    ms: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a search. `timed` is what the board of `budgets` has told so far, `table` how long the
    net's layers take there, where it was profiled.
    """

    budgets: Budgets
    effort: Effort = SOLVER
    timed: tuple[Timed, ...] = ()
    table: LayerTable | None = None


@dataclass(frozen=True, slots=True)
class Excess:
    """A budget that is not met: `by` is what is too much, in the budget's own unit."""

    budget: str
    limit: float
    by: float

    def __str__(self) -> str:
        form = _FORMS[self.budget]
        name = self.budget.replace("_", " ")
        return f"{name} of {form.format(self.limit)} is missed by {form.format(self.by)}"


def excesses(budgets: Budgets, drop: float, size: float, latency: float | None) -> tuple[Excess, ...]:
    """The budgets that a file of these figures does not meet."""
    figures = (
        ("max_drop", budgets.max_drop, drop),
        ("max_bytes", budgets.max_bytes, size),
        ("max_latency", budgets.max_latency, latency),
    )
    return tuple(
        Excess(name, limit, value - limit)
        for name, limit, value in figures
        if limit is not None and value is not None and value > limit + 1e-9
    )


def parse_bytes(text: str) -> int:
    """`500kB`, `1.5 MB`, `200000` or `512KiB` in bytes; raises `RecipeError`."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*([A-Za-z]*)\s*", text)
    if found is None or found[2] not in _UNITS or found[1].count(".") > 1 or found[1] == ".":
        raise RecipeError(
            f"size {text!r}", "it cannot be understood", "Write 500kB, 1.5MB or a number of bytes."
        )
    return round(float(found[1]) * _UNITS[found[2]])


def parse_latency(text: str) -> tuple[float, str]:
    """`3ms`, `0.5 s` or `3ms@pi` as milliseconds and place; raises `RecipeError`."""
    number, at, place = text.partition("@")
    found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*(ms|s|us)?\s*", number)
    if found is None or (at and not place.strip()):
        fix = "Write 3ms, 3ms@here or 3ms@BOARD."
        raise RecipeError(f"latency {text!r}", "it cannot be understood", fix)
    return float(found[1]) * {"s": 1000.0, "us": 0.001}.get(found[2] or "ms", 1.0), place.strip() or HERE
