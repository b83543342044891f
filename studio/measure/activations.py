"""What one layer gives out in a built file, beside the original: histograms, and the grid of its codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from studio.control import Control
from studio.data.samples import Dataset
from studio.errors import MeasureError
from studio.graph.model import Facts
from studio.graph.trace import read_kept
from studio.measure.coded import coded
from studio.measure.drift import nearest_gain
from studio.measure.sessions import SessionSource
from studio.measure.taps import find_taps, load_graph, tap_runner
from studio.metrics import ActivationView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SAMPLES, BATCH = 64, 8
VALUES = 1 << 17  # of a batch that are counted: 4 MiB over all batches
BINS = 96


def activations(
    facts: Facts,
    layer: str,
    original: SessionSource,
    artifact: SessionSource,
    dataset: Dataset,
    control: Control,
    threads: int = 1,
) -> ActivationView:
    """Histograms of the layer's output on the first samples, read where the next layer reads it.

    Of large outputs every so many places are counted, the same in both files; channels that pruning took
    are left out of the original. Raises `MeasureError` where the file has no such layer any more or the
    outputs do not match, `DataError`, `Cancelled`.
    """
    first, second = load_graph(original.path), load_graph(artifact.path)
    tap = next((each for each in find_taps(facts, first.graph, second.graph) if each.layer == layer), None)
    if tap is None:
        raise MeasureError(layer, "the built file has no such layer", "Choose another layer.")
    ours = tap_runner(first, [tap.original], original, threads)
    theirs = tap_runner(second, [tap.artifact], artifact, threads)
    kept = read_kept({each.key: each.value for each in second.metadata_props}).get(layer)
    rows = _Rows(layer, 1 if "Conv" in facts.by_name[layer].op else -1, kept)
    total = min(SAMPLES, len(dataset))
    for start in range(0, total, BATCH):
        inputs = dataset.inputs(start, min(start + BATCH, total))
        rows.add(ours.run(inputs)[0], theirs.run(inputs)[0])
        control.step(min(start + BATCH, total) / total, "looking at activations")
    held = coded(second.graph).get(tap.artifact)
    return view(layer, *rows.joined(), held.grid if held is not None else (), total)


class _Rows:
    """Values of both files as rows (channels, places), the same places of each."""

    def __init__(self, layer: str, axis: int, kept: tuple[int, ...] | None) -> None:
        self._layer, self._axis, self._kept = layer, axis, kept
        self._before: list[Floats] = []
        self._after: list[Floats] = []

    def add(self, before: NDArray[np.generic], after: NDArray[np.generic]) -> None:
        """Take one batch of both outputs, each (N, …)."""
        if self._kept and before.ndim > 1 and max(self._kept) < before.shape[self._axis]:
            before = np.take(before, self._kept, self._axis)
        if before.shape != after.shape or before.ndim < 2:
            raise MeasureError(
                self._layer, "its output has another shape in the built file", "Choose another."
            )
        for values, rows in ((before, self._before), (after, self._after)):
            flat = np.moveaxis(values, self._axis, 0).reshape(values.shape[self._axis], -1)
            step = max(flat.size // VALUES, 1) | 1  # odd, so that not always the same column is met
            rows.append(flat[:, ::step].astype(np.float32))

    def joined(self) -> tuple[Floats, Floats]:
        """Both, the original in the scale that equalization gave the file's channels."""
        before, after = np.concatenate(self._before, axis=1), np.concatenate(self._after, axis=1)
        gain = nearest_gain(_energy(before), _energy(after))
        return np.asarray(before / gain[:, None], np.float32), after


def _energy(rows: Floats) -> NDArray[np.float64]:
    return np.asarray((rows.astype(np.float64) ** 2).sum(axis=1))


def view(layer: str, before: Floats, after: Floats, grid: Iterable[float], samples: int) -> ActivationView:
    """Both on common edges, which hold the grid too. Raises `MeasureError` where a value is not finite."""
    levels = tuple(grid)
    low = min(float(before.min()), float(after.min()), *levels[:1])
    high = max(float(before.max()), float(after.max()), *levels[-1:])
    if not np.isfinite((low, high)).all():
        raise MeasureError(layer, "its output is not finite", "Check the preprocessing of the data.")
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    return ActivationView(
        layer=layer,
        edges=tuple(edges.tolist()),
        before=tuple(np.histogram(before, edges)[0].tolist()),
        after=tuple(np.histogram(after, edges)[0].tolist()),
        grid=levels,
        clipped=_clipped(before, levels),
        count=int(before.size),
        samples=samples,
    )


def _clipped(before: Floats, levels: tuple[float, ...]) -> float:
    """The share of values that lie beyond the grid by more than rounding."""
    if len(levels) < 2:
        return 0.0
    half = (levels[1] - levels[0]) / 2
    return float(np.mean((before < levels[0] - half) | (before > levels[-1] + half)))
