"""One pass of the calibration data through the float graph, watching every tensor that matters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.calibration.budget import HISTOGRAMS, PRODUCTS, budget_for
from studio.compress.calibration.ranges import Histogram, Seen
from studio.compress.work import Array, Work, can_bypass, only_consumer
from studio.compress.write.places import clip_of
from studio.control import Control
from studio.errors import BuildError
from studio.graph.constants import is_constant
from studio.stages import Batch, CalibrationSource

if TYPE_CHECKING:
    import onnx_ir as ir
    import onnxruntime as ort

Statistics = Mapping[str, Seen]


def watch(work: Work, source: CalibrationSource, control: Control) -> dict[str, Seen]:
    """Run the graph as it stands and return what was seen of every float tensor, by name.

    Memory is bounded, and the bound is said before the first sample: see `budget.py` beside this file.
    Raises `BuildError` where the data does not fit the model or gives values that are not finite.
    """
    names = watched(work)
    budget = budget_for(work, names)
    control.step(0.0, f"calibrating in at most {budget.megabytes} MB")
    session = session_with(work.model, names)
    seen = _empty(work, names)
    count = 0
    for batch in _limited(source, work.plan.calibration_samples, (budget.chunk, budget.exact)):
        count += _size(batch)
        control.step(min(1.0, count / work.plan.calibration_samples), f"calibrating, {count} samples")
        for piece in budget.pieces:
            _feed(session, batch, seen, piece)
    if not count:
        raise BuildError("calibration", "the data gave no samples", "Attach data with calibration samples.")
    return seen


def _empty(work: Work, names: Iterable[str]) -> dict[str, Seen]:
    """Statistics to be filled: means of what layers take in, rows of what matrix products take in."""
    with_histogram = work.plan.calibration in HISTOGRAMS
    inputs = {str(node.inputs[0].name): node.op_type for _, _, node in work.layers() if node.inputs[0]}
    return {
        name: Seen(
            histogram=Histogram() if with_histogram else None,
            keeps_mean=name in inputs,
            keeps_rows=inputs.get(name) in PRODUCTS,
        )
        for name in names
    }


def watched(work: Work) -> tuple[str, ...]:
    """Float tensors of the main graph that depend on its inputs, graph inputs included.

    What only a clip reads is left out: the grid behind stands for both, and no pass asks for it.
    """
    from onnx_ir import DataType

    inputs = [value for value in work.model.graph.inputs if value.dtype == DataType.FLOAT]
    floats = {fact.name for fact in work.facts.tensors if fact.dtype == "FLOAT"}
    made = [value for node in work.model.graph for value in node.outputs if not is_constant(value)]
    made = [value for value in made if not _clipped_away(value)]
    return tuple(str(value.name) for value in (*inputs, *made) if value.name in floats)


def _clipped_away(value: ir.Value) -> bool:
    reader = only_consumer(value)
    return reader is not None and clip_of(reader) is not None and can_bypass(reader)


def session_with(model: ir.Model, names: Iterable[str]) -> ort.InferenceSession:
    """A float session on a copy of `model` that also gives out the tensors `names`."""
    import onnx_ir as ir
    import onnxruntime as ort

    from studio.graph.onnx_edge import clone, serialize

    copy = clone(model)
    wanted = set(names)
    for node in copy.graph:
        for value in node.outputs:
            if value.name in wanted and not value.is_graph_output():
                value.type = ir.TensorType(ir.DataType.FLOAT)
                copy.graph.outputs.append(value)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # numpy works in between
    options.log_severity_level = 4
    return ort.InferenceSession(serialize(copy), options, providers=["CPUExecutionProvider"])


def _limited(source: CalibrationSource, limit: int, chunk: tuple[int, bool]) -> Iterator[Batch]:
    """The source's batches cut into chunks, about `limit` samples in all."""
    most, exact = chunk
    taken = 0
    for batch in source.batches():
        size = _size(batch)
        for start in range(0, size, most):
            count = min(most, size - start) if exact else min(most, size - start, limit - taken)
            if taken >= limit or count <= 0:
                return
            if exact and count < most:
                break
            taken += count
            yield {name: array[start : start + count] for name, array in batch.items()}


def _size(batch: Batch) -> int:
    return max((len(array) for array in batch.values()), default=0)


def _feed(session: ort.InferenceSession, batch: Batch, seen: dict[str, Seen], names: Iterable[str]) -> None:
    here = set(names)
    wanted = [output.name for output in session.get_outputs() if output.name in here]
    feeds = {each.name: batch[each.name] for each in session.get_inputs() if each.name in batch}
    given = _run(session, wanted, feeds) if wanted else []  # no names would mean all outputs
    values = dict(zip(wanted, given, strict=True))
    values.update({name: array for name, array in feeds.items() if name in here})
    for name, value in values.items():
        _add(name, np.asarray(value), seen[name])


def _run(session: ort.InferenceSession, wanted: list[str], feeds: dict[str, Array]) -> list[Array]:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    try:
        return [np.asarray(value) for value in session.run(wanted, feeds)]
    except (state.Fail, state.InvalidArgument, state.RuntimeException, ValueError) as error:
        raise BuildError(
            "calibration data",
            f"the model does not take it ({str(error).strip().splitlines()[0]})",
            "Attach data of the shape and type that the model's inputs have.",
        ) from error


def _add(name: str, value: Array, seen: Seen) -> None:
    if value.ndim and not seen.add(value.astype(np.float32, copy=False)):
        raise BuildError(
            f"tensor {name}",
            "calibration gave values that are not finite",
            "Check the preprocessing of the data.",
        )
