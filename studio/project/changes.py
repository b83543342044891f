"""What a verb changed, and what was measured of a state: frozen values for listeners, plots and reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from studio.artifact import Artifact
from studio.metrics import Comparison, Latency, LatencyPair

T = TypeVar("T")

MODEL = "model"
DATA = "data"
RECIPE = "recipe"
JOURNAL = "journal"
ARTIFACT = "artifact"
HISTORY = "history"
SENSITIVITY = "sensitivity"
VISITED = "visited"
BOARDS = "boards"
DRIFT = "drift"
PROJECT = "project"
EXPORTED = "exported"


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """What a verb changed (`what`, names of this module) and its `value`.

    `revision` is that of the document afterwards (0: none is open); `notes` are told to the user.
    """

    value: T
    what: frozenset[str] = field(default=frozenset())
    revision: int = 0
    notes: tuple[str, ...] = ()

    def __contains__(self, what: object) -> bool:
        return what in self.what


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything measured of one state. `label` says which edit led to it.

    `comparison` is None without data; `pair` where it was not measured; `on_boards` has the last run
    on each board; while samples stream in, `comparison.difference.final` is False. `held_out` is the
    comparison on samples that had no say in the choice of this state, where a search kept some back: it
    stands beside later figures on all samples, which flatter what was chosen on half of them.
    """

    revision: int
    label: str
    artifact: Artifact
    comparison: Comparison | None = None
    pair: LatencyPair | None = None
    on_boards: tuple[Latency, ...] = ()
    held_out: Comparison | None = None

    @property
    def latency(self) -> Latency | None:
        """Times of the artifact alone; `pair` has the original's beside them."""
        return self.pair.optimized if self.pair else None
