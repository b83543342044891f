"""What the verbs give back: frozen, ready for tables and for `--json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.metrics import Latency, on_board


@dataclass(frozen=True, slots=True)
class Condition:
    """A board at one moment: hottest zone in °C (None without zones), clock in kHz, 1-minute load."""

    celsius: float | None
    frequency_khz: int
    allowed_khz: int
    governor: str
    throttled: str
    load: float


@dataclass(frozen=True, slots=True)
class OpTime:
    """All nodes of one operator in the profile: their number, and milliseconds per inference together."""

    op: str
    nodes: int
    ms: float


@dataclass(frozen=True, slots=True)
class BoardRun:
    """Goldens and times of one release on one board. Times in ms per inference, memory in bytes.

    `proved` is True where every golden output is equal within the tolerance and budgets are kept; else
    `reason` says why (which output differs by how much, or why nothing could be run: then `runs` is 0).
    `worst` is the largest difference seen, as a share of the output's range. `invalid` says why times mean
    nothing. `before` and `after` are the board's state around the run, `joules` is energy per inference where
    the board measures it, `ops` the operators by time where a profile was asked for.
    """

    board: str
    release: str
    proved: bool
    reason: str = ""
    worst: float = 0.0
    tolerance: float = 0.0
    samples: int = 0
    runs: int = 0
    threads: int = 0
    load_ms: float = 0.0
    first_ms: float = 0.0
    p50: float = 0.0
    p90: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    peak_bytes: int = 0
    runtime: str = ""
    command: str = ""
    invalid: str = ""
    samples_ms: tuple[float, ...] = ()
    before: Condition | None = None
    after: Condition | None = None
    joules: float | None = None
    ops: tuple[OpTime, ...] = ()

    @property
    def ran(self) -> bool:
        return self.runs > 0

    def latency(self) -> Latency | None:
        """The times as a figure measured on that board; None where nothing could be run."""
        if not self.ran:
            return None
        return Latency(
            self.p50,
            self.p90,
            self.p95,
            self.p99,
            self.runs,
            self.threads,
            on_board(self.board),
            self.load_ms,
            self.first_ms,
            self.peak_bytes,
            self.invalid,
        )


@dataclass(frozen=True, slots=True)
class Release:
    """A release on a board. `proof` is what the golden check there said; `number` counts up with each push.

    `state` is `active`, `previous`, `failed` or "". `meta` is the release's `meta.json`; `pushed` says when
    and by whom it was pushed last, by the clock of the computer that did.
    """

    id: str
    number: int
    kib: int
    proof: str
    state: str = ""
    meta: Mapping[str, object] = field(default_factory=dict)
    pushed: str = ""


@dataclass(frozen=True, slots=True)
class BoardStatus:
    """`state` is `empty`, `unconfirmed` (`tries` of 3 starts used) or `confirmed`; ids are "" for none.

    `unfinished` are interrupted uploads that the next push of the same release resumes.
    """

    board: str
    state: str
    active: str
    previous: str
    tries: int
    failed: str
    releases: tuple[Release, ...]
    unfinished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did. `sent` of `bytes` went over the wire: less where it resumed or everything was there.

    `activated` is False where the release waits on the board; then `reason` says why and what to do.
    """

    board: str
    release: str
    bytes: int
    sent: int
    seconds: float
    run: BoardRun
    activated: bool
    confirmed: bool
    reason: str
    status: BoardStatus


@dataclass(frozen=True, slots=True)
class Pulled:
    """A release fetched from a board: `path` holds its model, `bytes` long, of that sha256.

    `meta` is the path of the release's `meta.json`, `recipe` of the recipe it was built by ("" = none).
    `proof` is what the golden check on the board said when it was pushed.
    """

    board: str
    release: str
    path: str
    bytes: int
    sha256: str
    meta: str
    recipe: str
    proof: str
