"""From an edit to its figures: ours against the loops of users of onnxruntime and NNCF, in one run.

    python tests/bench/live.py NETS --peers PEERS/bin/python --out RESULTS --write docs/bench.md

NETS is the folder of `nets.py`; the bundled sample is added. The edit is one layer in the middle, to another
width. Ours: rebuild, first figure (32 samples), all samples, in the engine; from a cut kept ahead of the
layer, from the inputs (whole), and with learned rounding. Theirs: quantize again with the layer left out or
in, a session, the same samples. All have the same number of threads. Contestants take turns, so that what
else the machine does hits all: read the ratios. Then a net of ResNet-18's size at 224² without labels, which
stops when it knows the agreement to a point (about five minutes to get ready, 2.4 GB on the disk), and
the window from slider to repainted figure. Writes results.json and results.md; asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import live_resnet
import live_table
from peers_machine import commit
from peers_machine import facts as machine
from peers_table import publish

from studio.control import Control
from studio.data.reference import DataRef
from studio.graph.model import Facts
from studio.metrics import Comparison
from studio.recipe.settings import REPAIRS, Recipe, Settings
from studio.target import here
from studio.workbench.api import Candidate, Job, ModelRef
from studio.workbench.local import LocalWorkbench

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "resources" / "samples" / "fashion.onnx"
NETS = ("residual", "depthwise", "sample")
WIDTHS = (7, 6, 5, 7, 6, 5)
LEARNED_WIDTHS = (4, 3, 2)
CALIBRATION = 200
TIGHT = 1.0
LARGE_CUT = 2 << 30
Times = dict[str, float]


class Ours:
    """The engine, as the window drives it."""

    def __init__(
        self,
        model: Path,
        data: Path,
        samples: int,
        bench: LocalWorkbench,
        repair: tuple[str, ...] = (),
    ) -> None:
        self.bench = bench
        self.facts: Facts = self.bench.open(str(model), Control())
        self.data = DataRef(str(data), None, samples)
        repair = repair or tuple(name for name in REPAIRS if name != "round")
        goal, width = here().name, Settings(bits=8)
        recipe = Recipe(target=goal, default=width, calibration_samples=CALIBRATION, repair=repair)
        self.job = Job(ModelRef.to(self.facts), recipe, self.data)
        self.layer = self.facts.layers[len(self.facts.layers) // 2].name

    def prepare(self) -> float:
        """Get ready for edits of the layer; returns the share of nodes behind the cut."""
        self.edit(8)
        return self.bench.prepare(self.job, (self.layer,), Control()).behind

    def edit(self, bits: int) -> Times:
        """Milliseconds from the edit to the built file, the first figure and all samples; samples to ±1."""
        began, seen = perf_counter(), list[tuple[float, Comparison]]()
        recipe = self.job.recipe.with_rule(self.layer, Settings(bits=bits))
        self.bench._built = type(self.bench._built)(1)  # an edit back would not be built again
        artifact = self.bench.build(Job(self.job.model, recipe, self.data), Control())
        built = perf_counter()
        candidate = Candidate(artifact.path, artifact)
        self.bench.compare(
            self.job.model, candidate, self.data, lambda each: seen.append((perf_counter(), each)), Control()
        )
        tight = next((time_ for time_, each in seen if _arm(each) <= TIGHT), float("nan"))
        enough = next((each.difference.n for _, each in seen if _arm(each) <= TIGHT), 0)
        places = {"built": built, "first": seen[0][0], "tight": tight, "all": seen[-1][0]}
        return {name: 1000 * (at - began) for name, at in places.items()} | {"tight_n": enough}

    def whole(self, bits: int) -> Times:
        """The same without any cut."""
        self.bench._live = type(self.bench._live)(0)
        return self.edit(bits)


def _arm(found: Comparison) -> float:
    figure = found.difference
    assert figure.low is not None
    assert figure.high is not None
    return max(figure.high - figure.value, figure.value - figure.low)


@contextmanager
def peer(python: str, tool: str, ours: Ours, model: Path, samples: int) -> Iterator[Callable[[int], Times]]:
    """Another tool's loop, in a process of its own; every other edit leaves the layer out."""
    made_for = [model, ours.data.path, samples, CALIBRATION, ours.layer, ours.bench._threads]
    command = [python, HERE / "live_peer.py", tool, *made_for]
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
    }
    with subprocess.Popen([str(each) for each in command], text=True, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        turns = iter(range(1 << 30))

        def edit(_: int) -> Times:
            print("out" if next(turns) % 2 else "in", file=process.stdin, flush=True)
            line = next(each for each in process.stdout or () if each.startswith('{"built"'))
            times: Times = json.loads(line)
            return times

        yield edit
        process.stdin.close()


def in_turns(edits: dict[str, Callable[[int], Times]], widths: tuple[int, ...]) -> dict[str, Times]:
    """Medians of every contestant's edits; the first one of each is not counted."""
    found: dict[str, list[Times]] = {name: [] for name in edits}
    for turn, bits in enumerate((widths[-1], *widths)):
        for name, edit in edits.items():
            times = edit(bits)
            if turn:
                found[name].append(times)
    return {name: _medians(each) for name, each in found.items()}


def _medians(edits: list[Times]) -> Times:
    return {name: round(statistics.median(each[name] for each in edits), 1) for name in edits[0]}


def net(model: Path, data: Path, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All contestants on one net."""
    samples = options.samples

    def ours(name: str, repair: tuple[str, ...] = ()) -> Ours:
        return Ours(model, data, samples, LocalWorkbench(folder / name, threads=options.threads), repair)

    cut, whole, learned = ours("cut"), ours("whole"), ours("learned", REPAIRS)
    behind = cut.prepare()
    whole.edit(8)
    with ExitStack() as stack:
        edits = {"ours, cut": cut.edit, "ours, whole": whole.whole}
        peers = [(sys.executable, "onnxruntime"), *((python, "nncf") for python in options.peers)]
        for python, tool in peers:
            edits[tool] = stack.enter_context(peer(python, tool, cut, model, samples))
        times = in_turns(edits, WIDTHS)
    times |= in_turns({"ours, learned rounding": learned.edit}, LEARNED_WIDTHS)
    return {"layer": cut.layer, "behind": behind, "samples": samples, "times": times}


def large(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """A net of ResNet-18's size at 224²: agreement with the original, until it is known to a point."""
    folder.mkdir()
    model, data = live_resnet.write(folder, options.pictures)
    bench = LocalWorkbench(folder / "made", threads=options.threads, cut_budget=LARGE_CUT, tight=TIGHT)
    ours = Ours(model, data, options.pictures, bench)
    began = perf_counter()
    behind = ours.prepare()
    ready = perf_counter() - began
    times = _medians([ours.edit(bits) for bits in (7, 6, 5)])
    times |= {"seen": times["tight_n"] / options.pictures}
    return {
        "layer": ours.layer,
        "behind": behind,
        "samples": options.pictures,
        "ready_s": round(ready, 1),
        "times": {"ours, cut": times},
    }


def window(samples: int) -> dict[str, Any]:
    """What `live_window.py` prints, over the bundled sample."""
    command = [sys.executable, str(HERE / "live_window.py"), str(SAMPLE), str(SAMPLE.with_suffix(".npz"))]
    done = subprocess.run([*command, str(samples)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"machine": machine(options.peers, here().name), "nets": {}}
    results["machine"] |= {"commit": commit(), "threads": options.threads}
    results["load"] = [round(os.getloadavg()[0], 1)] * 2
    with tempfile.TemporaryDirectory() as folder:
        for name in options.nets:
            model = SAMPLE if name == "sample" else options.models / f"{name}.onnx"
            data = SAMPLE.with_suffix(".npz") if name == "sample" else options.models / "data.npz"
            if model.exists():
                results["nets"][name] = net(model, data, options, Path(folder, name))
                _keep(results, options.out)
        if not options.no_window:
            results["window"] = window(options.samples)
            _keep(results, options.out)
        if options.pictures:
            results["large"] = large(options, Path(folder, "large"))
            _keep(results, options.out)
    if options.write:
        text = live_table.markdown(results).replace("\n### ", "\n#### ")
        publish(options.write, text, live_table.BEGIN, live_table.END)
    print((options.out / "results.md").read_text())


def _keep(results: dict[str, Any], out: Path) -> None:
    """Write what there is by now: a run that is broken off has its results so far."""
    results["load"][1] = round(os.getloadavg()[0], 1)
    results["bars"] = live_table.bars(results)
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (out / "results.md").write_text(live_table.markdown(results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", type=Path, help="folder made by nets.py")
    parser.add_argument("--out", type=Path, required=True, help="folder for results.json and results.md")
    parser.add_argument("--peers", action="append", default=[], help="an interpreter that has NNCF")
    parser.add_argument("--nets", nargs="+", default=list(NETS))
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument(
        "--pictures", type=int, default=4000, help="at 224², for the large net; 0: leave it out"
    )
    parser.add_argument("--threads", type=int, default=min(os.cpu_count() or 1, 2))
    parser.add_argument("--write", type=Path, help="a document whose results are replaced by these")
    parser.add_argument("--no-window", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
