"""What a board is: the probe script's lines, typed, with remarks on what they mean for a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from studio.boards.book import Board
from studio.boards.links.faults import failed
from studio.boards.links.link import Link
from studio.boards.remarks import remarks
from studio.boards.runtime.python import find_python
from studio.control import Control
from studio.paths import resource

_KEPT = (
    "asimd",
    "asimddp",
    "asimdhp",
    "fphp",
    "i8mm",
    "bf16",
    "sve",
    "sve2",
    "neon",
    "avx",
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "amx_int8",
    "aes",
)
_TEXTS = (
    *("model", "machine", "kernel", "cpu", "governor", "os", "libc", "libstdcxx", "busybox", "throttled"),
    *("jetson", "power_mode", "emulated", "boot", "python", "onnxruntime"),
)
_NUMBERS = (
    *("bits", "cores", "frequency_khz", "allowed_khz", "most_khz"),
    *("memory_kib", "free_kib", "disk_kib", "clock"),
)
_LISTS = ("parts", "rails", "rapl", "nodes")


@dataclass(frozen=True, slots=True)
class Zone:
    """A thermal zone. Degrees Celsius; `trip` is the lowest limit, None where the board names none."""

    name: str
    celsius: float
    trip: float | None


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """A board as probed. Frequencies in kHz, memory and disk in KiB; 0 and "" where it does not say."""

    board: str
    model: str
    machine: str
    kernel: str
    bits: int
    cpu: str
    parts: tuple[str, ...]
    features: tuple[str, ...]
    cores: int
    frequency_khz: int
    allowed_khz: int
    most_khz: int
    governor: str
    memory_kib: int
    free_kib: int
    disk_kib: int
    os: str
    libc: str
    libstdcxx: str
    busybox: str
    zones: tuple[Zone, ...]
    throttled: str
    rails: tuple[str, ...]
    rapl: tuple[str, ...]
    jetson: str
    power_mode: str
    nodes: tuple[str, ...]
    load: float
    emulated: str
    boot: str
    clock: int
    root: bool
    python: str
    onnxruntime: str
    remarks: tuple[str, ...]

    @property
    def aes(self) -> bool:
        """Whether the CPU has AES instructions."""
        return "aes" in self.features

    @property
    def times_mean_nothing(self) -> str:
        """Why times measured now should not be trusted; "" where there is no such reason."""
        if self.emulated:
            return f"the board is emulated ({self.emulated})"
        return "the board is throttled now" if _throttled_now(self.throttled) else ""


def probe(link: Link, board: Board, control: Control) -> BoardFacts:
    """Run the probe script on the board and say what its answers mean. Writes nothing there."""
    control.step(0.0, f"asking {board.name} what it is")
    script = resource("board", "probe.sh").read_bytes()
    reply = link.feed("sh -s", script, control)
    if reply.status:
        raise failed(board.name, "the probe", reply)
    control.step(0.6, "looking for Python and onnxruntime")
    python = find_python(link, board)
    lines = f"{reply.out}\npython={python.path}\nonnxruntime={python.onnxruntime}\n"
    control.step(1.0, "probed")
    return parse(board.name, lines)


def parse(board: str, text: str) -> BoardFacts:
    """Facts from `key=value` lines; unknown keys and bad numbers are left out, never an error."""
    said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    words = {key: tuple(value.split()) for key, value in said.items()}
    found: dict[str, Any] = {key: said.get(key, "") for key in _TEXTS}
    found |= {key: words.get(key, ()) for key in _LISTS}
    found |= {key: _whole(words.get(key, ())) for key in _NUMBERS}
    facts = BoardFacts(
        board=board,
        features=tuple(name for name in _KEPT if name in words.get("features", ())),
        zones=tuple(zone for word in words.get("thermal", ()) if (zone := _zone(word))),
        load=_decimal(words.get("load", ())),
        root=said.get("root") == "0",
        remarks=(),
        **found,
    )
    return replace(facts, remarks=remarks(facts))


def _zone(word: str) -> Zone | None:
    name, _, rest = word.partition(":")
    now, _, trip = rest.partition(":")
    if not now.lstrip("-").isdecimal():
        return None
    return Zone(name, int(now) / 1000, int(trip) / 1000 if trip.isdecimal() and int(trip) else None)


def _whole(words: tuple[str, ...]) -> int:
    return int(words[0]) if words and words[0].isdecimal() else 0


def _decimal(words: tuple[str, ...]) -> float:
    return float(words[0]) if words and words[0].replace(".", "", 1).isdecimal() else 0.0


def _throttled_now(text: str) -> bool:
    """The Raspberry Pi's word: bits 0–3 are under-voltage, capped, throttled and the soft limit right now."""
    try:
        return bool(int(text, 16) & 0xF) if text else False
    except ValueError:
        return False
