"""How far each layer's output has drifted from the original's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studio.control import Control
from studio.data.samples import Dataset
from studio.graph.model import Facts
from studio.measure.sessions import Outputs, Runner, SessionSource, open_session
from studio.measure.taps import find_taps, load_graph, tapped
from studio.measure.tasks import Distortion
from studio.metrics import LayerDrift

if TYPE_CHECKING:
    import onnx

SAMPLES = 64
BATCH = 8
EQUAL = "equal"
PRUNED = "channels were removed"
GONE = "no counterpart in this file"
BROKEN = "zero or not a number"


def layer_drift(
    facts: Facts,
    original: SessionSource,
    artifact: SessionSource,
    dataset: Dataset,
    control: Control,
    samples: int = SAMPLES,
    threads: int = 1,
) -> tuple[LayerDrift, ...]:
    """Signal to quantization-noise ratio in dB of every layer's output, over the first `samples`.

    Both files run whole, on the same samples, so a layer's figure holds what came in from before.
    The output is read behind the activation and the rounding, as the next layer reads it. None, with a note,
    where the artifact has no such layer, removed channels of it, or changed nothing at all.
    Raises `MeasureError`, `DataError`, `Cancelled`.
    """
    first, second = load_graph(original.path), load_graph(artifact.path)
    taps = find_taps(facts, first.graph, second.graph)
    found: dict[str, LayerDrift] = {}
    if taps:
        ours = _runner(first, [tap.original for tap in taps], original, threads)
        theirs = _runner(second, [tap.artifact for tap in taps], artifact, threads)
        distortions = _distortions(ours, theirs, len(taps), dataset, control, samples)
        pairs = zip(taps, distortions, strict=True)
        found = {tap.layer: _drift(tap.layer, each) for tap, each in pairs}
    return tuple(found.get(layer.name, LayerDrift(layer.name, None, GONE)) for layer in facts.layers)


def _drift(layer: str, distortion: Distortion | None) -> LayerDrift:
    if distortion is None:
        return LayerDrift(layer, None, PRUNED)
    value = distortion.sqnr_db
    return LayerDrift(layer, value, EQUAL if distortion.equal else "" if value is not None else BROKEN)


def _runner(model: onnx.ModelProto, tensors: Sequence[str], source: SessionSource, threads: int) -> Runner:
    folder = str(Path(source.path).resolve().parent)
    unique = list(dict.fromkeys(tensors))
    session = open_session(tapped(model, unique), threads, label=source.label, folder=folder)
    return Runner(session, source.label, tuple(tensors))


def _distortions(
    original: Runner, artifact: Runner, count: int, dataset: Dataset, control: Control, samples: int
) -> list[Distortion | None]:
    found: list[Distortion | None] = [Distortion() for _ in range(count)]
    total = min(samples, len(dataset))
    for start in range(0, total, BATCH):
        inputs = dataset.inputs(start, min(start + BATCH, total))
        _add(found, original.run(inputs), artifact.run(inputs))
        control.step(min(start + BATCH, total) / total, "comparing layers")
    return found


def _add(found: list[Distortion | None], original: Outputs, artifact: Outputs) -> None:
    for index, (before, after) in enumerate(zip(original, artifact, strict=True)):
        distortion = found[index]
        if distortion is None:
            continue
        if before.shape == after.shape:
            distortion.add(before, after)
        else:
            found[index] = None
