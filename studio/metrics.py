"""Figures that say where they came from, on how many samples, with which interval."""

from __future__ import annotations

from dataclasses import dataclass

ESTIMATED = "estimated"
HERE = "measured here"
DRAFT = "measured here, before learned rounding"


def on_board(name: str) -> str:
    """Source text of a figure that was measured on the board `name`."""
    return f"measured on {name}"


def from_board(name: str) -> str:
    """Source text of a figure that was worked out from times measured on the board `name`."""
    return f"estimated from {name}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its 95 % interval (`low`, `high`; None where there is none).

    `unit` is `%`, `pp`, `ms`, `bytes`, `dB` or ""; `final` is False while more samples are to come.
    """

    value: float
    unit: str
    n: int
    source: str
    low: float | None = None
    high: float | None = None
    final: bool = True


@dataclass(frozen=True, slots=True)
class Flip:
    """A sample whose answer changed. `label` is None without labels."""

    sample: int
    before: int
    after: int
    label: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the original says of one sample: a class and the share in per cent that it gives to it.

    Both are None where its outputs are no class scores; `label` is None where none is known.
    """

    sample: int
    given: int | None
    share: float | None
    label: int | None


@dataclass(frozen=True, slots=True)
class SampleLook:
    """Answers to some samples, and the least and the greatest value that was fed to the model in them."""

    answers: tuple[Answer, ...]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Detail:
    """A further figure of both models, smaller is better; `original` is None where it has none of its own."""

    name: str
    original: float | None
    optimized: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Artifact against original on the same samples; `difference` is paired, in points.

    `metric` is `top-1`, `mean IoU`, `mAP`, `perplexity` or `variance explained`, by what the labels are, or,
    without any, `agreement` (`output match` where outputs are no class scores); the original then is 100 % by
    definition. `difference` is below 0 where the optimized one is worse, whatever the metric. `flips` holds
    the first of the `flip_count` samples whose answer changed. `sqnr_db` is over all outputs seen, None
    where equal. `note` says why the target's CPU may give other figures; "" where it should not.
    """

    metric: str
    original: Figure
    optimized: Figure
    difference: Figure
    flips: tuple[Flip, ...]
    flip_count: int = 0
    sqnr_db: float | None = None
    note: str = ""
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerDrift:
    """Signal to quantization-noise ratio of a layer's output in dB.

    None where it cannot be told or nothing differs; `note` says which.
    """

    layer: str
    sqnr_db: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Latency:
    """Times per inference in milliseconds at batch 1. `invalid` names the reason not to trust them."""

    p50: float
    p90: float
    p95: float
    p99: float
    runs: int
    threads: int
    source: str
    load_ms: float = 0.0
    first_ms: float = 0.0
    peak_bytes: int = 0
    invalid: str = ""


@dataclass(frozen=True, slots=True)
class LatencyPair:
    """Two files timed in turns in one run. `ratio` is optimized ÷ original (below 1: faster), the
    figure to trust where the machine is not quiet.
    """

    original: Latency
    optimized: Latency
    ratio: Figure


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Effect of one setting on one group alone, all else as in the original.

    `bytes` is the size of the file that was built with this setting alone.
    """

    group: str
    setting: str
    difference: Figure
    sqnr_db: float | None
    bytes: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is kept for a group: `tensors` at the cut, `bytes` of activations over `samples` samples.

    `behind` is the share of the file's running nodes that an edit runs; `note` says why it is all.
    """

    tensors: int = 0
    bytes: int = 0
    samples: int = 0
    behind: float = 1.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class WeightView:
    """The weights of one layer in the built file (`after`), beside the file built without compression.

    `edges` are the common edges of both histograms, in weight units; `grid` holds the levels of the
    channel with the widest range (empty where there is no grid); ranges are (least, greatest) per
    output channel. `zeros` is the share of weights that are exactly zero. `sqnr_db` is None where
    shapes differ or nothing does.
    """

    layer: str
    edges: tuple[float, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    grid: tuple[float, ...]
    ranges_before: tuple[tuple[float, float], ...]
    ranges_after: tuple[tuple[float, float], ...]
    zeros: float
    count: int
    sqnr_db: float | None


@dataclass(frozen=True, slots=True)
class ActivationView:
    """What one layer gives out in the built file (`after`), beside the original, on the same samples.

    `edges`, `before`, `after` and `grid` are as in `WeightView`, in the scale of the built file; `grid` is
    empty where the output is no codes. `clipped` is the share of the original's values that lie more than
    half a step beyond the grid. `count` values were counted, of `samples` samples.
    """

    layer: str
    edges: tuple[float, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    grid: tuple[float, ...]
    clipped: float
    count: int
    samples: int
    source: str = HERE


@dataclass(frozen=True, slots=True)
class CodedRange:
    """What a tensor of a built file can hold: codes for `levels` values from `low` to `high`."""

    tensor: str
    low: float
    high: float
    levels: int

    @property
    def grid(self) -> tuple[float, ...]:
        """Every value that it can hold, ascending."""
        step = (self.high - self.low) / max(self.levels - 1, 1)
        return tuple(self.low + place * step for place in range(self.levels))
