"""Global sparsity: one figure for many groups, taken where a channel costs least for what it saves.

The goal is what the same figure would save uniformly, in multiply-accumulates (weights where those are
not known). Each group's price is what `eliminate` expects its next channels to cost, as a share of the
outputs of the layers behind, in steps that kernels like. The cheapest step is taken until the goal is met.
No group loses more than twice the figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np

from studio.compress.pruning.choose import count_step, cut_count, repeats
from studio.compress.pruning.eliminate import Order
from studio.graph.coupling.couple import Component, Coupling
from studio.graph.coupling.trace import Ids
from studio.graph.model import Facts
from studio.recipe.settings import MAX_SPARSITY

_MOST = 2.0  # times the figure


def limit(sparsity: float) -> float:
    """The most that one group may lose where the whole is to lose `sparsity`."""
    return min(_MOST * sparsity, (1 + sparsity) / 2, MAX_SPARSITY)


@dataclass(frozen=True)
class Share:
    """A block with what it may lose: the `order` of its classes, `uniform` how many would go without
    distribution, `saving` per class, and the `stops` at which counts may rest."""

    order: Order
    uniform: int
    saving: float
    stops: tuple[int, ...]

    def price(self, at: int) -> float:
        """Cost per saving of going from stop `at` to the next."""
        low, high = self.stops[at], self.stops[at + 1]
        return float(self.order.costs[low:high].sum()) / max((high - low) * self.saving, 1e-30)


def share(
    coupling: Coupling, part: Component, block: Ids, order: Order, sparsity: float, facts: Facts
) -> Share:
    """What a block of `part` brings to the whole; `order` reaches as far as `limit` lets it go."""
    width, step = len(block), count_step(len(block), repeats(coupling, part, block))
    first = width % step or step
    stops = (0, *(cut for cut in range(first, len(order.classes) + 1, step)))
    uniform = cut_count(coupling, part, block, sparsity)
    return Share(order, uniform, saving(coupling, part, int(block[0]), facts), stops)


def distribute(shares: Sequence[Share]) -> list[int]:
    """How many classes of each share go."""
    goal = sum(each.uniform * each.saving for each in shares)
    at, saved = [0] * len(shares), 0.0
    heap = [(each.price(0), index) for index, each in enumerate(shares) if len(each.stops) > 1]
    heapify(heap)
    while heap and saved < goal:
        _, index = heappop(heap)
        each, place = shares[index], at[index]
        saved += (each.stops[place + 1] - each.stops[place]) * each.saving
        at[index] = place + 1
        if place + 2 < len(each.stops):
            heappush(heap, (each.price(place + 1), index))
    return [each.stops[place] for each, place in zip(shares, at, strict=True)]


def saving(coupling: Coupling, part: Component, one: int, facts: Facts) -> float:
    """Multiply-accumulates that go with class `one`, or weights where those are not known."""
    total = 0.0
    for names, labels in ((part.members, coupling.members), (part.followers, coupling.followers)):
        for name in names:
            layer = facts.by_name.get(name)
            classes = coupling.class_of[labels[name]]
            if layer is not None and len(classes):
                whole = layer.macs if facts.macs else layer.params
                total += (whole or 0) * np.count_nonzero(classes == one) / len(classes)
    return total
