"""From an edit to its figures: ours against the loop of a user of onnxruntime.quantization, in one run.

    python tests/bench/live.py --model resources/samples/fashion.onnx --data resources/samples/fashion.npz

The edit is one layer in the middle, to another width. Ours: rebuild, first figure, all samples, in the
engine; once with a cut kept ahead of the layer, once whole. Theirs: quantize_static again (nodes
to leave out changed, as its users do), a session, the same samples. Times are of a machine that may be
shared: read the ratios. `--repair` says which repairs our file gets (theirs knows none).
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from studio.control import Control
from studio.data.reference import DataRef
from studio.graph.model import Facts
from studio.metrics import Comparison
from studio.recipe.settings import Recipe, Settings
from studio.workbench.api import Candidate, Job, ModelRef
from studio.workbench.local import LocalWorkbench

WIDTHS = (7, 6, 5, 4, 3, 2)
CALIBRATION = 200


class Ours:
    """The engine, as the window drives it."""

    def __init__(self, model: Path, data: Path, samples: int, folder: Path, repair: tuple[str, ...]) -> None:
        self.bench = LocalWorkbench(folder, threads=1)
        self.facts: Facts = self.bench.open(str(model), Control())
        self.data = DataRef(str(data), None, samples)
        recipe = Recipe(default=Settings(bits=8), calibration_samples=CALIBRATION, repair=repair)
        self.job = Job(ModelRef.to(self.facts), recipe, self.data)
        self.layer = self.facts.layers[len(self.facts.layers) // 2].name

    def prepare(self) -> float:
        """Seconds to get ready for edits of the layer; returns the share of nodes behind the cut."""
        self.edit(8)
        return self.bench.prepare(self.job, (self.layer,), Control()).behind

    def edit(self, bits: int) -> dict[str, float]:
        """Milliseconds from the edit to the built file, to the first figure, to all samples."""
        began = perf_counter()
        recipe = self.job.recipe.with_rule(self.layer, Settings(bits=bits))
        artifact = self.bench.build(Job(self.job.model, recipe, self.data), Control())
        built, first = perf_counter(), []

        def emit(found: Comparison) -> None:
            first.append(perf_counter())

        candidate = Candidate(artifact.path, artifact)
        found = self.bench.compare(self.job.model, candidate, self.data, emit, Control())
        done = perf_counter()
        return {
            "built": 1000 * (built - began),
            "first": 1000 * (first[0] - began),
            "all": 1000 * (done - began),
            "top1": found.optimized.value,
        }


class Theirs:
    """Quantize, open, evaluate: the loop of a script around onnxruntime.quantization."""

    def __init__(self, model: Path, data: Path, samples: int, folder: Path, first: int) -> None:
        self.prepared, self.out = folder / "prepared.onnx", folder / "theirs.onnx"
        quant_pre_process(str(model), str(self.prepared), skip_symbolic_shape=True)
        arrays = np.load(data)
        self.x, self.y = arrays["x"][:samples].astype(np.float32), arrays["y"][:samples]
        calibration = arrays["x_calibration"] if "x_calibration" in arrays else arrays["x"]
        self.calibration = calibration[:CALIBRATION].astype(np.float32)
        session = ort.InferenceSession(str(self.prepared), providers=["CPUExecutionProvider"])
        self.name, self.first = session.get_inputs()[0].name, first

    def edit(self, left_out: list[str]) -> dict[str, float]:
        """The same times; `left_out` are nodes to keep in float."""
        began = perf_counter()
        quantize_static(
            str(self.prepared),
            str(self.out),
            _Reader(self.name, self.calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=left_out,
        )
        built = perf_counter()
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(str(self.out), options, providers=["CPUExecutionProvider"])
        answers = [self._answers(session, 0, self.first)]
        first = perf_counter()
        answers += [self._answers(session, at, at + 256) for at in range(self.first, len(self.x), 256)]
        top1 = 100 * float((np.concatenate(answers) == self.y).mean())
        done = perf_counter()
        return {
            "built": 1000 * (built - began),
            "first": 1000 * (first - began),
            "all": 1000 * (done - began),
            "top1": top1,
        }

    def _answers(self, session: ort.InferenceSession, start: int, stop: int) -> np.ndarray:
        return np.asarray(session.run(None, {self.name: self.x[start:stop]})[0]).argmax(axis=1)


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime ships no types
    def __init__(self, name: str, samples: np.ndarray) -> None:
        self._batches = iter([{name: samples[at : at + 1]} for at in range(len(samples))])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._batches, None)


def middle(edits: list[dict[str, float]]) -> dict[str, float]:
    """The median of each time over all edits."""
    return {name: round(statistics.median(each[name] for each in edits), 1) for name in edits[0]}


def in_turns(edits: dict[str, Callable[[int], dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Every edit by every contestant, one after the other, so that what else the machine does hits all."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in edits}
    for bits in WIDTHS:
        for name, edit in edits.items():
            found[name].append(edit(bits))
    return {name: middle(each) for name, each in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--repair", default="equalize,bias")
    asked = parser.parse_args()
    repair = tuple(name for name in asked.repair.split(",") if name)
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder, name) for name in ("cut", "whole", "theirs")]
        for place in places:
            place.mkdir()
        cut = Ours(asked.model, asked.data, asked.samples, places[0], repair)
        whole = Ours(asked.model, asked.data, asked.samples, places[1], repair)
        whole.edit(8)
        theirs = Theirs(asked.model, asked.data, asked.samples, places[2], 32)
        behind = cut.prepare()

        def run_whole(bits: int) -> dict[str, float]:
            whole.bench._live = type(whole.bench._live)(0)  # forgets the run before: nothing to cut
            return whole.edit(bits)

        contestants = {
            "ours, cut": cut.edit,
            "ours, whole": run_whole,
            "onnxruntime": lambda bits: theirs.edit([cut.layer] if bits % 2 else []),
        }
        times = in_turns(contestants)
    mine, peer = times["ours, cut"], times["onnxruntime"]
    ratios = {name: round(peer[name] / mine[name], 1) for name in ("built", "first", "all")}
    print(
        json.dumps(
            {"model": asked.model.name, "repair": repair, "behind": behind, "ms": times, "ratios": ratios}
        )
    )


if __name__ == "__main__":
    main()
