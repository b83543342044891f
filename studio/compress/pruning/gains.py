"""How much an error in what a layer takes in moves the outputs of the net.

There are no labels and no gradients to be had from an inference graph; the effect is measured instead. A
tensor is moved a little way towards its value on another sample, so that the disturbance has the
tensor's own statistics, and the outputs' answer is told per relative energy of the disturbance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.control import Control
from studio.graph.model import Facts
from studio.graph.onnx_edge import clone, serialize

if TYPE_CHECKING:
    import onnx_ir as ir
    import onnxruntime as ort

Array = np.ndarray[Any, np.dtype[Any]]
Run = Mapping[str, Array]
_STEP = 0.25
_BUDGET = 2e10  # multiply-accumulates: about a second
_NOISE = "disturbance"


def output_gains(
    model: ir.Model, facts: Facts, tensors: Sequence[str], runs: Sequence[Run], control: Control
) -> dict[str, float]:
    """Per tensor: relative squared error of the outputs per relative squared error of the tensor.

    Seen on the first run that has a neighbour of its shape, shortened to what the arithmetic's budget
    allows; {} where not even one sample can be paid for, and where no output is a float.
    """
    pair = _pair(runs, (facts.macs or 0) * (len(tensors) + 2), facts)
    if pair is None or not tensors:
        return {}
    session, outputs = _disturbed(model, tensors)
    if not outputs:
        return {}
    names = [*outputs, *tensors]
    first, second = (dict(zip(names, session.run(names, _feeds(session, run)), strict=True)) for run in pair)
    gains = {}
    for index, name in enumerate(tensors):
        control.step(index / len(tensors), "measuring what counts")
        noise = _STEP * (second[name] - first[name])
        moved = session.run(outputs, _feeds(session, pair[0], index, noise))
        answer = np.mean(
            [
                _relative(np.subtract(after, first[out], dtype=np.float32), first[out])
                for out, after in zip(outputs, moved, strict=True)
            ]
        )
        gains[name] = float(answer) / max(_relative(noise, first[name]), 1e-12)
    return gains


def _pair(runs: Sequence[Run], cost: float, facts: Facts) -> tuple[Run, Run] | None:
    """Two runs of equal shape whose samples `cost` multiply-accumulates each."""
    if len(runs) < 2:
        return None
    shapes = [{name: array.shape for name, array in run.items()} for run in runs[:2]]
    count = max(len(array) for array in runs[0].values())
    most = int(_BUDGET // max(cost, 1))
    fixed = any(isinstance(fact.shape[0], int) for fact in facts.inputs if fact.shape)
    if shapes[0] != shapes[1] or most < (count if fixed else 1):
        return None
    cut = count if fixed else min(count, most)
    first, second = ({name: array[:cut] for name, array in run.items()} for run in runs[:2])
    return first, second


def _disturbed(model: ir.Model, tensors: Sequence[str]) -> tuple[ort.InferenceSession, list[str]]:
    """A session that gives the outputs and the tensors, and takes something to add to each of those."""
    import onnx_ir as ir
    import onnxruntime as ort

    copy = clone(model)
    values = {str(value.name): value for node in copy.graph for value in node.outputs}
    values |= {str(value.name): value for value in copy.graph.inputs}
    floats = (ir.DataType.FLOAT, ir.DataType.FLOAT16)  # of a widened net, outputs keep their 16 bits
    outputs = [str(value.name) for value in copy.graph.outputs if value.dtype in floats]
    for index, name in enumerate(tensors):
        value = values[name]
        rank = len(value.shape) if value.shape is not None else 0
        noise = ir.Value(
            name=f"{_NOISE}{index}",
            type=ir.TensorType(ir.DataType.FLOAT),
            shape=ir.Shape([None] * rank) if rank else None,
        )
        copy.graph.inputs.append(noise)
        added = ir.node("Add", [value, noise])
        added.outputs[0].name = f"{_NOISE}{index}.sum"
        value.replace_all_uses_with(added.outputs[0])
        added.replace_input_with(0, value)
        maker = value.producer()
        copy.graph.insert_after(maker, added) if maker is not None else copy.graph.insert_before(
            copy.graph[0], added
        )
        value.type = ir.TensorType(ir.DataType.FLOAT)
        if not value.is_graph_output() and not value.is_graph_input():
            copy.graph.outputs.append(value)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(serialize(copy), options, providers=["CPUExecutionProvider"]), outputs


def _feeds(
    session: ort.InferenceSession, run: Run, index: int = -1, noise: Array | None = None
) -> dict[str, Array]:
    feeds = {}
    for each in session.get_inputs():
        if each.name in run:
            feeds[each.name] = np.asarray(run[each.name])
        elif noise is not None and each.name == f"{_NOISE}{index}":
            feeds[each.name] = noise
        else:
            feeds[each.name] = np.zeros([1] * len(each.shape), np.float32)
    return feeds


def _relative(error: Array, signal: Array) -> float:
    """Energy of `error` over the variance of `signal` from sample to sample."""
    error, signal = error.astype(np.float32), signal.astype(np.float32)
    spread = (
        float(np.square(signal - signal.mean(axis=0)).mean())
        if len(signal) > 1
        else float(np.square(signal).mean())
    )
    return float(np.square(error).mean()) / max(spread, 1e-12)
