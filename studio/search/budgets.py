"""What a search may spend: accuracy, bytes, time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from studio.errors import RecipeError

_UNITS = {"": 1, "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_UNITS |= {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

_FORMS = {"max_drop": "{:.2f} points", "max_bytes": "{:,.0f} bytes", "max_latency": "{:.3g} ms"}


@dataclass(frozen=True, slots=True)
class Budgets:
    """Limits; None where there is none. `max_drop` in points against the original, `max_latency` in
    milliseconds at batch 1 on this computer.
    """

    max_drop: float | None = None
    max_bytes: int | None = None
    max_latency: float | None = None


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


def parse_latency(text: str) -> float:
    """`3ms`, `0.5 s` or `3ms@here` in milliseconds; raises `RecipeError`."""
    number, _, place = text.partition("@")
    found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*(ms|s|us)?\s*", number)
    if found is None:
        raise RecipeError(f"latency {text!r}", "it cannot be understood", "Write 3ms or 3ms@here.")
    if place not in ("", "here"):
        cause = "a search can hold times on this computer only"
        raise RecipeError(
            f"latency {text!r}", cause, "Write @here, then time the file with `trimtab board bench`."
        )
    return float(found[1]) * {"s": 1000.0, "us": 0.001}.get(found[2] or "ms", 1.0)
