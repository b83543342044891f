"""The weights of one layer as they are in a built file, in floats, beside those it began with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.errors import MeasureError
from studio.graph.model import LayerFact
from studio.measure.taps import load_graph
from studio.metrics import WeightView

if TYPE_CHECKING:
    import onnx

BINS = 96
CHANNELS = 512
LEVELS = 256
Floats = NDArray[np.float32]


def weight_of(path: str, layer: str) -> Floats | None:
    """The weight that `layer` computes with in the file at `path`: unpacked, scaled, as float32.

    The part of the graph that makes it from constants is run in onnxruntime. None where the file has
    no node of that name, or its weight is no constant.
    """
    model = load_graph(path)
    node = next((each for each in model.graph.node if each.name == layer), None)
    for name in node.input[:2] if node is not None else ():
        nodes, constants = _behind(model.graph, name)
        if nodes is not None:
            return _run(model, name, nodes, constants, Path(path).parent)
    return None


def view(layer: LayerFact, before: Floats | None, after: Floats | None) -> WeightView:
    """Histograms on common edges, ranges per output channel, and the levels of the widest channel."""
    if before is None or after is None or not before.size or not after.size:
        raise MeasureError(layer.name, "its weights are not constants of the built file", "Choose another.")
    before = _in_scale(before, after, layer.channel_axis)
    low = float(min(before.min(), after.min()))
    high = float(max(before.max(), after.max()))
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    return WeightView(
        layer=layer.name,
        edges=tuple(edges.tolist()),
        before=tuple(np.histogram(before, edges)[0].tolist()),
        after=tuple(np.histogram(after, edges)[0].tolist()),
        grid=_grid(_rows(after, layer.channel_axis)),
        ranges_before=_ranges(_rows(before, layer.channel_axis)),
        ranges_after=_ranges(_rows(after, layer.channel_axis)),
        zeros=float(np.mean(after == 0)),
        count=int(after.size),
        sqnr_db=_sqnr(before, after),
    )


def _behind(graph: onnx.GraphProto, name: str) -> tuple[list[onnx.NodeProto] | None, list[str]]:
    """The nodes that make `name` from constants, and those constants; None where it is no constant."""
    makers = {out: node for node in graph.node for out in node.output if out}
    constants = {each.name for each in graph.initializer}
    found: dict[int, onnx.NodeProto] = {}
    used, todo = set[str](), [name]
    while todo:
        here = todo.pop()
        if here in constants:
            used.add(here)
        elif here in makers:
            if id(makers[here]) not in found:
                found[id(makers[here])] = makers[here]
                todo += [each for each in makers[here].input if each]
        else:
            return None, []
    return [node for node in graph.node if id(node) in found], sorted(used)


def _run(
    model: onnx.ModelProto, name: str, nodes: list[onnx.NodeProto], constants: list[str], folder: Path
) -> Floats:
    import onnx
    import onnxruntime as ort
    from onnx.external_data_helper import load_external_data_for_tensor, uses_external_data

    part = onnx.ModelProto(ir_version=model.ir_version)
    part.opset_import.extend(model.opset_import)
    part.graph.name = "weight"
    part.graph.node.extend(nodes)
    part.graph.initializer.extend(each for each in model.graph.initializer if each.name in constants)
    for tensor in part.graph.initializer:
        if uses_external_data(tensor):
            load_external_data_for_tensor(tensor, str(folder))
    if not nodes:
        return np.asarray(onnx.numpy_helper.to_array(part.graph.initializer[0]), dtype=np.float32)
    part.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = ort.InferenceSession(part.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {})[0], dtype=np.float32)


def _rows(weight: Floats, axis: int) -> Floats:
    """One row per output channel."""
    turned = np.moveaxis(weight, axis if axis < weight.ndim else 0, 0)
    return turned.reshape(turned.shape[0], -1)


def _in_scale(before: Floats, after: Floats, axis: int) -> Floats:
    """`before` in the scale of `after`: equalization moves factors per output and per input channel.

    The factors are medians of the ratios, so that rounding does not move them. Where channels went,
    they cannot be told, and `before` stays as it is.
    """
    if before.shape != after.shape or before.ndim < 2 or axis > 1:
        return before
    one, other = (np.moveaxis(each, axis, 0) for each in (before, after))
    shape = (one.shape[0], one.shape[1], -1)
    tiny = np.finfo(np.float32).tiny
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log(np.abs(other.reshape(shape)) / np.maximum(np.abs(one.reshape(shape)), tiny))
    ratios = np.where((other.reshape(shape) != 0) & (one.reshape(shape) != 0), ratios, 0.0)
    out = np.median(ratios, axis=(1, 2), keepdims=True)
    into = np.median(ratios - out, axis=(0, 2), keepdims=True)
    scaled = one.reshape(shape) * np.exp(out + into)
    return np.asarray(np.moveaxis(scaled.reshape(one.shape), 0, axis), dtype=np.float32)


def _ranges(rows: Floats) -> tuple[tuple[float, float], ...]:
    low, high = rows.min(axis=1), rows.max(axis=1)
    return tuple(zip(low[:CHANNELS].tolist(), high[:CHANNELS].tolist(), strict=True))


def _grid(rows: Floats) -> tuple[float, ...]:
    """The levels that the channel of the widest range uses; none where they are too many for a grid."""
    widest = rows[int(np.argmax(rows.max(axis=1) - rows.min(axis=1)))]
    levels = np.unique(widest)
    distinct = levels.size < min(LEVELS, widest.size) or levels.size <= 16
    return tuple(levels.tolist()) if distinct else ()


def _sqnr(before: Floats, after: Floats) -> float | None:
    """Signal to noise of the weights in dB; None where the shapes differ or nothing does."""
    if before.shape != after.shape:
        return None
    noise = float(np.sum((before.astype(np.float64) - after) ** 2))
    power = float(np.sum(before.astype(np.float64) ** 2))
    return 10 * float(np.log10(power / noise)) if noise > 0 and power > 0 else None
