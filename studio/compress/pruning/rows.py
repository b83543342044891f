"""Looking at the tensors that layers behind a removal take in, on calibration data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.compress.calibration.calibrate import session_with
from studio.control import Control
from studio.graph.model import Facts
from studio.graph.onnx_edge import clone
from studio.stages import Batch

if TYPE_CHECKING:
    import onnx_ir as ir

Array = np.ndarray[Any, np.dtype[Any]]
Run = Mapping[str, Array]
CHUNK = 16
SAMPLES = 256
FEWEST = 32
ROWS = 16384  # rows kept of one tensor at most: sixteen times the widest solve
MEMORY = 1 << 29  # bytes that the rows of all tensors together may take
BUDGET = 1.2e12  # multiply-accumulates that the rebuilding of one net may run: some 20 s on two cores
LIVE = 1 << 30  # bytes of tensors that a walk may hold at once


def chunks(facts: Facts, batches: Iterable[Batch], limit: int) -> list[Run]:
    """At most min(`limit`, SAMPLES) samples, in runs of CHUNK, or of the batch that the model fixes."""
    heads = {fact.shape[0] for fact in facts.inputs if fact.shape}
    fixed = next((head for head in heads if isinstance(head, int) and head > 0), 0)
    most = fixed or CHUNK
    found: list[Run] = []
    for batch in batches:
        feeds = {fact.name: batch[fact.name] for fact in facts.inputs}
        size = max(len(array) for array in feeds.values())
        for start in range(0, size - most + 1 if fixed else size, most):
            if len(found) * most >= min(limit, SAMPLES):
                return found
            found.append({name: array[start : start + most] for name, array in feeds.items()})
    return found


def samples(runs: Sequence[Run]) -> int:
    """Samples in all runs together."""
    return sum(max(len(array) for array in run.values()) for run in runs)


def affordable(facts: Facts, runs: Sequence[Run], peak: int) -> int:
    """How many of `runs` layers may be rebuilt on, one after the other; 0: too costly.

    `peak` is what a walk keeps of one sample, in bytes. Decided by arithmetic, not by the clock: the
    same build gives the same bytes on any machine.
    """
    for count in range(len(runs), 0, -1):
        taken = samples(runs[:count])
        if (facts.macs or 0) * taken <= BUDGET and peak * taken <= LIVE:
            return count if taken >= min(FEWEST, samples(runs)) else 0
    return 0


def rows_of(
    model: ir.Model, axes: Mapping[str, int], runs: Sequence[Run], most: int, control: Control
) -> dict[str, Array]:
    """Per tensor float32 rows (positions, channels); `axes` gives, by name, where its channels are.

    At most `most` evenly spread positions of each sample are kept, the same in nets of equal layout.
    """
    found: dict[str, list[Array]] = {name: [] for name in axes}
    for values in _tensors(model, list(axes), runs):
        control.check()
        for name, axis in axes.items():
            found[name].append(picked(values[name], axis, most))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def positions(runs: Sequence[Run], channels: int) -> int:
    """Positions to keep per sample, where all tensors together have so many channels."""
    rows = min(ROWS, MEMORY // (4 * max(channels, 1)))
    return max(1, rows // max(samples(runs), 1))


def _tensors(model: ir.Model, names: Sequence[str], runs: Sequence[Run]) -> Iterator[dict[str, Array]]:
    """The tensors of a float net, run by run; only what leads to them is computed."""
    front = clone(model)
    front.graph.outputs.clear()
    session = session_with(front, names)
    outputs = [output.name for output in session.get_outputs()]
    taken = {each.name for each in session.get_inputs()}
    for feeds in runs:
        values = session.run(outputs, {name: array for name, array in feeds.items() if name in taken})
        given = {name: array for name, array in feeds.items() if name in names}
        yield {**given, **dict(zip(outputs, (np.asarray(value) for value in values), strict=True))}


def picked(values: Array, axis: int, most: int) -> Array:
    """Rows (positions, channels) of one run: at most `most` positions of each sample, evenly spread."""
    channels = values.shape[axis]
    rows = np.moveaxis(values, axis, -1).reshape(len(values), -1, channels)
    stride = max(1, -(-rows.shape[1] // most))
    return np.ascontiguousarray(rows[:, ::stride].reshape(-1, channels), dtype=np.float32)
