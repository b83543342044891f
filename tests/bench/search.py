"""The front of a search against uniform widths and uniform pruning, judged on samples that had no say.

    python tests/bench/nets.py --out NETS --nets depthwise residual
    python tests/bench/search.py NETS --out RESULTS        # half an hour on two quiet cores

Every net is searched on the first samples of `NETS/data.npz`, for the target of this computer, with every
repair on. All files then answer the other samples, and each uniform recipe gets three verdicts:

- where chosen: whether the front of `Found.steady` holds a file that is no larger and no less accurate on the
  samples that it was chosen on, better in one of the two (`dominated`), or none (`NOT`);
- on the front: the same on the others, which had no say in the front;
- chosen before: the same of the one file that the search would name, the likeliest to be the most accurate of
  those that are no larger; `level` where it is less accurate by no more than the interval of the paired
  difference allows.

Writes `search.json` and `search.md`, and prints the latter.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from studio.artifact import Artifact
from studio.control import Control
from studio.data.reference import DataRef
from studio.metrics import Comparison
from studio.paths import resource
from studio.recipe.settings import Recipe
from studio.search.budgets import Budgets, Effort
from studio.search.front import Found, Visited, likeliest
from studio.search.table import uniform
from studio.session.session import Session
from studio.workbench.api import Candidate, ModelRef
from studio.workbench.local import LocalWorkbench

NETS = ("sample", "depthwise", "residual")
RIVALS = {
    "8 bits": (8, 0.0),
    "6 bits": (6, 0.0),
    "4 bits": (4, 0.0),
    "8 bits, 10 % pruned": (8, 0.1),
    "8 bits, 30 % pruned": (8, 0.3),
    "8 bits, 50 % pruned": (8, 0.5),
}


@dataclass(frozen=True)
class Point:
    """A file on the judging samples: bytes, and points against the original with the interval."""

    label: str
    bytes: int
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Duel:
    """A uniform recipe, the front's answer to it, and the paired difference answer − uniform in points.

    `over` holds those of the front that are better in bytes or accuracy and worse in neither; `before` says
    whether there is one by the samples that they were chosen on.
    """

    rival: Point
    answer: Point | None
    gain: float
    low: float
    high: float
    over: tuple[Point, ...]
    before: bool

    @property
    def verdict(self) -> str:
        if self.answer is None:
            return "NOT"
        if self.gain >= 0 and (self.gain > 0 or self.answer.bytes < self.rival.bytes):
            return "dominated"
        return "level" if self.high >= 0 else "NOT"

    @property
    def held(self) -> str:
        return "dominated" if self.over else "NOT"


@dataclass(frozen=True)
class Net:
    """All that was seen of one net."""

    name: str
    target: str
    visited: int
    seconds: float
    original: float
    front: tuple[Point, ...]
    duels: tuple[Duel, ...]


class Bench:
    """One net, searched on one part of the samples and judged on the other."""

    def __init__(self, name: str, model: Path, parts: tuple[Path, Path], folder: Path) -> None:
        self.name, self.judging = name, DataRef(str(parts[1]))
        self.workbench = LocalWorkbench(folder / name, threads=1)
        self.session = Session(self.workbench)
        self.session.open(model, Control())
        self.session.attach_data(DataRef(str(parts[0])), Control())
        self.job = self.session.job()

    def run(self, effort: Effort) -> Net:
        began = time.perf_counter()
        found = self.session.search(Budgets(max_drop=1.0), Control(progress(self.name)), effort=effort).value
        spent = time.perf_counter() - began
        front = {each.artifact.sha256: self._point(each.label, each.artifact) for each in found.steady}
        original = self._judged(self.job.model, found.best.artifact).original.value
        duels = [self._duel(label, rival, found, front) for label, rival in self._rivals().items()]
        self.session.close()
        target = self.job.recipe.target
        visited, points = len(found.visited), tuple(front.values())
        return Net(self.name, target, visited, round(spent, 1), original, points, tuple(duels))

    def _rivals(self) -> dict[str, Recipe]:
        return {label: uniform(self.job.recipe, *given) for label, given in RIVALS.items()}

    def _duel(self, label: str, recipe: Recipe, found: Found, front: dict[str, Point]) -> Duel:
        rival = self.workbench.build(replace(self.job, recipe=recipe), Control())
        point, answer = self._point(label, rival), likeliest(found.visited, rival.bytes)
        over = tuple(each for each in front.values() if _beats(each, point))
        there = self._chosen(rival)
        before = any(_beats(_seen(each), there) for each in found.steady)
        if answer is None:
            return Duel(point, None, 0.0, 0.0, 0.0, over, before)
        against = self.workbench.open(rival.path, Control())
        paired = self._judged(ModelRef.to(against), answer.artifact).difference
        known = front[answer.artifact.sha256]
        return Duel(point, known, paired.value, paired.low or 0.0, paired.high or 0.0, over, before)

    def _point(self, label: str, artifact: Artifact) -> Point:
        figure = self._judged(self.job.model, artifact).difference
        return Point(label, artifact.bytes, figure.value, figure.low or 0.0, figure.high or 0.0)

    def _chosen(self, artifact: Artifact) -> Point:
        """On the samples that the search saw."""
        assert self.job.data is not None
        candidate = Candidate(artifact.path, artifact)
        found = self.workbench.compare(self.job.model, candidate, self.job.data, lambda _: None, Control())
        return Point("", artifact.bytes, found.difference.value, 0.0, 0.0)

    def _judged(self, against: ModelRef, artifact: Artifact) -> Comparison:
        candidate = Candidate(artifact.path, artifact)
        return self.workbench.compare(against, candidate, self.judging, lambda _: None, Control())


def _seen(visited: Visited) -> Point:
    return Point(visited.label, visited.artifact.bytes, -visited.drop, 0.0, 0.0)


def _beats(one: Point, other: Point) -> bool:
    no_worse = one.bytes <= other.bytes and one.difference >= other.difference
    return no_worse and (one.bytes, one.difference) != (other.bytes, other.difference)


def halves(data: Path, choosing: int, folder: Path) -> tuple[Path, Path]:
    """The first samples and the others, each with the same calibration samples, stored plainly."""
    held = np.load(data)
    parts = {"choosing": slice(0, choosing), "judging": slice(choosing, None)}
    for name, part in parts.items():
        columns = {"x": held["x"][part], "y": held["y"][part], "x_calibration": held["x_calibration"]}
        np.savez(folder / f"{name}.npz", **columns)
    return folder / "choosing.npz", folder / "judging.npz"


def markdown(nets: Sequence[Net], samples: tuple[int, int], seed: int) -> str:
    """One table for each net, and how many uniform recipes are beaten."""
    duels = [duel for net in nets for duel in net.duels]
    counts = {kind: sum(duel.verdict == kind for duel in duels) for kind in ("dominated", "level", "NOT")}
    held, before = sum(bool(duel.over) for duel in duels), sum(duel.before for duel in duels)
    lines = [
        f"Chosen on {samples[0]:,} samples, judged on {samples[1]:,} others; seed {seed}. "
        f"The front dominates {before} of {len(duels)} uniform recipes where it was chosen and {held} on the "
        f"others. By the one file chosen before "
        f"{counts['dominated']} are dominated, {counts['level']} level, {counts['NOT']} not.",
        f"{platform.machine()}, Python {platform.python_version()}.",
    ]
    for net in nets:
        lines += ["", f"`{net.name}`: {net.original:.2f} % in float, target {net.target}, "]
        lines[-1] += f"{net.visited} files in {net.seconds:.0f} s, {len(net.front)} on the front."
        heads = "uniform | bytes | against float | where chosen | on the front | smallest that dominates"
        lines += ["", f"| {heads} | chosen before | bytes | chosen − uniform | verdict |"]
        lines += ["|---|---|---|---|---|---|---|---|---|---|", *(_row(duel) for duel in net.duels)]
        lines += [
            "",
            "Front: " + "; ".join(f"{each.bytes:,} bytes {_points(each)}" for each in net.front) + ".",
        ]
    return "\n".join(lines) + "\n"


def _row(duel: Duel) -> str:
    rival, answer = duel.rival, duel.answer
    cells = [rival.label, f"{rival.bytes:,}", _points(rival)]
    cells += ["dominated" if duel.before else "NOT", duel.held]
    cells += [f"{duel.over[0].bytes:,}: {_points(duel.over[0])}" if duel.over else "–"]
    cells += [answer.label, f"{answer.bytes:,}"] if answer else ["–", "–"]
    cells += [f"{duel.gain:+.2f} [{duel.low:+.2f}, {duel.high:+.2f}]", duel.verdict]
    return f"| {' | '.join(cells)} |"


def _points(point: Point) -> str:
    return f"{point.difference:+.2f} [{point.low:+.2f}, {point.high:+.2f}]"


def progress(name: str):
    """Tells every tenth of the way on stderr."""
    told = [-1]

    def show(fraction: float, text: str) -> None:
        if int(10 * fraction) > told[0]:
            told[0] = int(10 * fraction)
            print(f"{name}: {fraction:.0%} {text}", file=sys.stderr, flush=True)

    return show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="where nets.py put data.npz and the nets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--nets", nargs="+", choices=NETS, default=list(NETS))
    parser.add_argument("--choosing", type=int, default=4000, help="samples that the search sees")
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=6.0, help="longest search of one net")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        parts = halves(asked.folder / "data.npz", asked.choosing, folder)
        effort = Effort(asked.trials, asked.minutes, asked.seed)
        nets = []
        for name in asked.nets:
            model = resource("samples", "fashion.onnx") if name == "sample" else asked.folder / f"{name}.onnx"
            nets.append(Bench(name, model, parts, folder).run(effort))
        judged = len(np.load(parts[1])["y"])
    told = [
        asdict(net) | {"verdicts": [[duel.before, duel.held, duel.verdict] for duel in net.duels]}
        for net in nets
    ]
    (asked.out / "search.json").write_text(json.dumps(told, indent=1))
    text = markdown(nets, (asked.choosing, judged), asked.seed)
    (asked.out / "search.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
