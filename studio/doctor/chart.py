"""What the doctor knows of one patient before anything is suspected."""

from __future__ import annotations

from dataclasses import dataclass

from studio.data.reference import DataFacts
from studio.doctor.spots import Spot
from studio.graph.model import Facts
from studio.metrics import Comparison, LayerDrift
from studio.recipe.resolve import Plan
from studio.recipe.settings import Recipe

SHIFTED = 1.5


@dataclass(frozen=True)
class Chart:
    """`reach` is how far calibration samples reach beyond evaluated ones, by their root mean square;
    `spread` the widest over the middle output channel of each layer's weight; `peaks` the largest weight over
    nearly all others of its channel, where that is largest.
    """

    facts: Facts
    recipe: Recipe
    plan: Plan
    data: DataFacts
    comparison: Comparison
    drift: tuple[LayerDrift, ...]
    spots: tuple[Spot, ...]
    reach: float
    spread: dict[str, float]
    peaks: dict[str, float]

    @property
    def shifted(self) -> bool:
        """Whether the calibration samples reach much further, or less far, than those that are evaluated."""
        return self.data.calibration_separate and not 1 / SHIFTED < self.reach < SHIFTED

    def falls(self) -> list[tuple[str, float, float]]:
        """Touched layers that are told of, by how much of the noise came in there: (layer, fall, SQNR) in dB.

        A layer's fall is from the least SQNR in front of it, in graph order.
        """
        found, least = [], 60.0
        for row in self.drift:
            if row.sqnr_db is None:
                continue
            if self.plan.of(row.layer).touched:
                found.append((row.layer, max(least - row.sqnr_db, 0.0), row.sqnr_db))
            least = min(least, row.sqnr_db)
        return sorted(found, key=lambda each: -each[1])
