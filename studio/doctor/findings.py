"""What the doctor says, as frozen values: causes, the figures that speak for them, fixes and their gain."""

from __future__ import annotations

from dataclasses import dataclass, field

from studio.data.reference import DataRef
from studio.metrics import Comparison, Figure
from studio.recipe.settings import Recipe

# Causes, the most particular first: of fixes that win alike, the particular one explains more.
PREPROCESSING, SHIFT, SAMPLES = "preprocessing", "shift", "samples"
SPREAD, OUTLIER, PEAK, JOIN, BITS, PRUNED, ENDS, LAYER = (
    "spread",
    "outlier",
    "peak",
    "join",
    "bits",
    "pruned",
    "ends",
    "layer",
)
CAUSES = (
    PREPROCESSING,
    SHIFT,
    SAMPLES,
    SPREAD,
    OUTLIER,
    PEAK,
    JOIN,
    BITS,
    PRUNED,
    ENDS,
    LAYER,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured figure: `name` is a key of `words.FIGURES`, `unit` is `×`, `dB`, `%`, `bit` or ""."""

    name: str
    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that may help: another recipe, or the data read another way (`data`, None: as it is).

    `key` is one of `words.FIXES`, `given` what is filled into it. `recipe` is None where the edit is the
    user's to make: the samples in an array file are not ours to change.
    """

    key: str
    given: str = ""
    recipe: Recipe | None = None
    data: DataRef | None = None

    @property
    def applicable(self) -> bool:
        """Whether one click can do it."""
        return self.recipe is not None or self.data is not None


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A cause that the evidence speaks for, and the fixes to try. `where` are layers, the worst first."""

    cause: str
    where: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    fixes: tuple[Fix, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A suspicion whose fix was built and measured.

    `gain` is the paired difference that the fix makes on the same samples, in points, with its 95 %
    interval; None where the cause is plain but none of the usual fixes helped. `bytes` is what the fix adds
    to the file.
    """

    cause: str
    where: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    fix: Fix
    gain: Figure | None
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Findings, the most probable first. `comparison` is the file of now against the original.

    `evidence` says how the file fares as a whole, also where nothing was found; `tried` counts the fixes
    that were built and measured.
    """

    comparison: Comparison
    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = field(default=())
    tried: int = 0
