"""What Auto says of itself: what it did, what came of it, which budget is missed and by how much."""

from __future__ import annotations

from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.metrics import Figure
from studio.search.budgets import Excess
from studio.search.front import Found

_BUDGETS = {"max_drop": T.auto_drop, "max_bytes": T.auto_bytes, "max_latency": T.auto_latency}


def told(found: Found) -> str:
    """The outcome in a few sentences."""
    best = found.best
    lines = [
        T.auto_measured.format(n=len(found.visited), front=len(found.front)),
        T.auto_best.format(
            label=best.label,
            size=numbers.size(best.artifact.bytes),
            difference=_signed(best.comparison.difference),
            n=best.comparison.difference.n,
        ),
    ]
    if found.judged is not None:
        figure = found.judged.difference
        lines.append(
            T.card_held_out.format(value=f"{_signed(figure)} {figure.unit}", n=numbers.whole(figure.n))
        )
    if not found.fails:
        return "\n".join([*lines, T.auto_met])
    return "\n".join([*lines, *(missed(each) for each in found.fails), T.auto_nearest])


def missed(each: Excess) -> str:
    """Which budget, and by how much."""
    limit, by = amount(each.budget, each.limit), amount(each.budget, each.by)
    return T.auto_missed.format(budget=_BUDGETS[each.budget], limit=limit, by=by)


def amount(budget: str, value: float) -> str:
    """A budget's figure with its unit."""
    if budget == "max_bytes":
        return numbers.size(value)
    return f"{value:.3g} ms" if budget == "max_latency" else f"{value:.2f} pp"


def _signed(figure: Figure) -> str:
    return f"{numbers.signed(figure.value, 2)} {numbers.interval(figure)}".rstrip()
