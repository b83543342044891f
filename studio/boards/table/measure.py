"""Layer times measured on a board, in one job that goes on while the connection is gone."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from studio.boards.links.faults import failed
from studio.boards.links.link import Link
from studio.boards.release.goldens import save_goldens
from studio.boards.release.package import Package, package
from studio.boards.release.proof import quantile, show
from studio.boards.release.protocol import Releases
from studio.boards.release.upload import put_shared
from studio.boards.runs.jobs import Job
from studio.boards.runs.trust import condition, doubt
from studio.boards.runtime.tools import Tool
from studio.boards.table.nets import INPUT, OUTPUT, nets
from studio.boards.table.profiles import FILTER, costs
from studio.control import Control
from studio.errors import BoardError
from studio.layer_times import Cost, LayerShape
from studio.paths import cache_dir

ROUNDS, RUNS, WARM_UP, SAMPLES = 5, 20, 5, 16
# What interrupts a board only ever adds: of whole nets the quartile is taken, as of single layers.
UNDISTURBED = 0.25
# Weights that one file of one-layer nets may unfold to on the board, in elements.
MOST = 16 << 20
_SECONDS = 20
_NEXT = "next"


@dataclass(frozen=True, slots=True)
class Measured:
    """`costs` by the shape's key, `wholes` the undisturbed ms of each whole net, in the order given."""

    costs: dict[str, Cost]
    wholes: tuple[float, ...]
    invalid: str


class _Said(msgspec.Struct):
    times_ms: list[float]


def measure(
    link: Link,
    releases: Releases,
    tool: Tool,
    shapes: Sequence[LayerShape],
    wholes: Sequence[Package],
    threads: int,
    control: Control,
) -> Measured:
    """Push one-layer nets of `shapes` and the whole nets, and time all of them in turns, in one job."""
    batches = _batches(shapes)
    with TemporaryDirectory(dir=cache_dir()) as folder:
        made = [_layers(Path(folder, str(at)), batch) for at, batch in enumerate(batches)]
        sent = [*made, *wholes]
        sending = control.part(0.0, 0.3)
        places = [put_shared(releases, each, sending) for each in sent]
    before = condition(link)
    script = _script(releases, tool, places[: len(made)], places[len(made) :], threads)
    shown = control.part(0.3, 1.0)
    try:
        reply = Job(link, releases.board, releases, script).run(shown, lambda line: show(line, shown))
    finally:
        with contextlib.suppress(BoardError):  # a board that is away keeps them, for the next asking
            for each in sent:
                releases.verb("unshare", each.id)
    if reply.status:
        raise failed(releases.board, "timing layers", reply)
    return Measured(*_read(reply.out, batches, len(wholes)), doubt(link, releases.board, before)[1])


def _batches(shapes: Sequence[LayerShape]) -> list[list[LayerShape]]:
    """The shapes in files whose weights fit into a small board's memory."""
    found: list[list[LayerShape]] = []
    held = MOST
    for shape in shapes:
        if held + shape.size > MOST:
            found.append([])
            held = 0
        found[-1].append(shape)
        held += shape.size
    return found


def _layers(folder: Path, shapes: Sequence[LayerShape]) -> Package:
    """A package as the runner takes it; what the nets answer is not looked at."""
    folder.mkdir()
    model = folder / "layers.onnx"
    model.write_bytes(nets(shapes))
    given = {INPUT: np.ones((SAMPLES, 1), np.float32)}
    wanted = {OUTPUT: np.zeros((SAMPLES, 1), np.float32)}
    goldens = save_goldens(folder / "goldens.npz", given, wanted, batch=False)
    return package(model, goldens, folder / "package")


def _script(
    releases: Releases, tool: Tool, layers: Sequence[str], wholes: Sequence[str], threads: int
) -> str:
    """Rounds of everything in turns, so that what disturbs one disturbs all."""
    prefix = f"{releases.folder}/layer-times"
    files = f"{shlex.quote(prefix)}*.json"
    options: dict[str, str | int | float] = {
        "runs": RUNS,
        "warm-up": WARM_UP,
        "threads": threads,
        "seconds": _SECONDS,
    }
    lines = [f"rm -f {files}"]
    for _ in range(ROUNDS):
        for folder in layers:
            command = tool.command(folder, options | {"profile": prefix})
            lines.append(f"{command} >/dev/null || exit")
            lines.append(f"sed -n {shlex.quote(FILTER)} {files} && rm -f {files} && echo {_NEXT} || exit 74")
        lines += [f"{tool.command(folder, options | {'runs': 5 * RUNS})} || exit" for folder in wholes]
    return "\n".join(lines)


def _read(
    out: str, batches: Sequence[Sequence[LayerShape]], wholes: int
) -> tuple[dict[str, Cost], tuple[float, ...]]:
    """Costs and p50s from what the job printed: profiles, each ended by `next`, and one JSON line a net."""
    parts = out.split(f"{_NEXT}\n")
    found: dict[str, Cost] = {}
    for at, batch in enumerate(batches):
        rounds = [part.splitlines() for part in parts[at : -1 : len(batches)]]
        known = costs(rounds, SAMPLES + WARM_UP)
        found |= {batch[place].key: cost for place, cost in known.items()}
    times = [msgspec.json.decode(line, type=_Said).times_ms for line in out.splitlines() if line[:1] == "{"]
    merged = [sorted(chain.from_iterable(times[at::wholes])) for at in range(wholes)]
    return found, tuple(quantile(each, UNDISTURBED) for each in merged)
