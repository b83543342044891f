"""How far each layer's output has drifted from the original's."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import TYPE_CHECKING

import numpy as np

from studio.control import Control
from studio.data.samples import Dataset
from studio.graph.model import Facts
from studio.graph.trace import read_kept
from studio.measure.sessions import Runner, SessionSource
from studio.measure.taps import find_taps, load_graph, tap_runner
from studio.metrics import LayerDrift

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = 64
BATCH = 8
EQUAL = "equal"
PRUNED = "channels were removed"
GONE = "no counterpart in this file"
BROKEN = "zero or not a number"
STAYED = "told over the channels that stayed"
RESCALED = "scaled by equalization, told in the original's scale"


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
    where the artifact has no such layer or changed nothing at all. Where channels were removed, those that
    stayed are compared; a file that does not say which they are gives None.
    Raises `MeasureError`, `DataError`, `Cancelled`.
    """
    first, second = load_graph(original.path), load_graph(artifact.path)
    taps = find_taps(facts, first.graph, second.graph)
    found: dict[str, LayerDrift] = {}
    if taps:
        ours = tap_runner(first, [tap.original for tap in taps], original, threads)
        theirs = tap_runner(second, [tap.artifact for tap in taps], artifact, threads)
        kept = read_kept({each.key: each.value for each in second.metadata_props})
        channels = [
            Channels(1 if "Conv" in facts.by_name[tap.layer].op else -1, kept.get(tap.layer)) for tap in taps
        ]
        _run(channels, ours, theirs, dataset, control, samples)
        found = {tap.layer: each.drift(tap.layer) for tap, each in zip(taps, channels, strict=True)}
    return tuple(found.get(layer.name, LayerDrift(layer.name, None, GONE)) for layer in facts.layers)


class Channels:
    """Sums per channel over a layer's output in both files; `axis` holds the channels.

    `kept` are the original's channels that the artifact still has, None where all of them stayed.
    Equalization scales channels by powers of two and the next layer undoes it, so a channel's
    nearest power of two is taken out before the noise is told.
    """

    def __init__(self, axis: int, kept: tuple[int, ...] | None = None) -> None:
        self._axis, self._kept = axis, kept
        self._sums: NDArray[np.float64] | None = None
        self.equal, self.comparable = True, True

    def add(self, original: NDArray[np.generic], artifact: NDArray[np.generic]) -> None:
        """Take one batch of both outputs; other shapes than each other's make the layer incomparable."""
        original = self._stayed(original)
        if original.shape != artifact.shape or original.ndim < 2:
            self.comparable = False
            return
        self.equal = self.equal and np.array_equal(original, artifact)
        a, b = (self._rows(each) for each in (original, artifact))
        sums = np.stack([(a * a).sum(axis=1), (a * b).sum(axis=1), (b * b).sum(axis=1)])
        self._sums = sums if self._sums is None else self._sums + sums

    def drift(self, layer: str) -> LayerDrift:
        """The figure over everything added."""
        if not self.comparable or self._sums is None:
            return LayerDrift(layer, None, PRUNED)
        if self.equal:
            return LayerDrift(layer, None, EQUAL)
        aa, ab, bb = self._sums
        gain = nearest_gain(aa, bb)
        signal = float(aa.sum())
        noise = float((aa - 2 * gain * ab + gain * gain * bb).sum())
        if not (np.isfinite(noise) and signal > 0 and noise > 0):
            return LayerDrift(layer, None, BROKEN)
        note = RESCALED if (gain != 1).any() else STAYED if self._kept else ""
        return LayerDrift(layer, 10 * log10(signal / noise), note)

    def _stayed(self, original: NDArray[np.generic]) -> NDArray[np.generic]:
        if not self._kept or original.ndim < 2 or max(self._kept) >= original.shape[self._axis]:
            return original
        return np.take(original, self._kept, self._axis)

    def _rows(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        return np.moveaxis(values.astype(np.float64), self._axis, 0).reshape(values.shape[self._axis], -1)


def nearest_gain(original: NDArray[np.float64], artifact: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per channel the power of two nearest to the ratio of both energies' roots, 1 where one is 0."""
    usable = (original > 0) & (artifact > 0) & np.isfinite(original) & np.isfinite(artifact)
    ratio = np.divide(original, artifact, out=np.ones_like(original), where=usable)
    return np.asarray(np.exp2(np.rint(np.log2(ratio) / 2)), np.float64)


def _run(
    channels: Sequence[Channels],
    original: Runner,
    artifact: Runner,
    dataset: Dataset,
    control: Control,
    samples: int,
) -> None:
    total = min(samples, len(dataset))
    for start in range(0, total, BATCH):
        inputs = dataset.inputs(start, min(start + BATCH, total))
        outputs = zip(channels, original.run(inputs), artifact.run(inputs), strict=True)
        for each, before, after in outputs:
            each.add(before, after)
        control.step(min(start + BATCH, total) / total, "comparing layers")
