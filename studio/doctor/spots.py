"""Where the built file rounds activations: the grid that it has there, and the values that come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.calibration.ranges import Histogram, Range, Seen
from studio.control import Control
from studio.data.samples import Dataset
from studio.graph.model import Facts
from studio.measure.sessions import SessionSource
from studio.measure.taps import Wiring, load_graph, tap_runner, wiring

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

SAMPLES, BATCH = 128, 8
JOINS = ("Concat", "Add")
_CODES = 255
_CORE = 0.999


@dataclass(frozen=True, slots=True)
class Spot:
    """One QuantizeLinear of an activation in the file.

    `node` and `op` made the tensor ("" for a model input), `layer` is a layer to show for it, `readers` the
    layers that read it next. `grid` is what its codes span, `seen` the extremes and `core` the width of the
    middle 99.9 % of evaluated values (those beyond the grid count as its ends), `clipped` the share beyond.
    `channels` is the widest channel's reach over the middle one's; `joined` the reach of each input
    of a Concat or an Add.
    """

    tensor: str
    node: str
    op: str
    layer: str
    readers: tuple[str, ...]
    grid: Range
    seen: Range
    core: float
    clipped: float
    channels: float
    joined: tuple[float, ...] = ()

    @property
    def width(self) -> float:
        return self.grid.high - self.grid.low

    @property
    def used(self) -> float:
        """The share of the grid that evaluated values reach."""
        reach = min(self.seen.high, self.grid.high) - max(self.seen.low, self.grid.low)
        return max(reach, 0.0) / self.width

    @property
    def stretch(self) -> float:
        """How many times wider than the middle of the values the grid is."""
        return self.width / max(self.core, self.width / _CODES)


def spots(
    facts: Facts, artifact: SessionSource, dataset: Dataset, control: Control, threads: int = 1
) -> tuple[Spot, ...]:
    """Every spot of the file at `artifact`, over the first samples; raises `MeasureError`, `DataError`."""
    model = load_graph(artifact.path)
    nodes, wired = _rounded(model), wiring(model.graph)
    constants = _constants(model)
    makers = {name: node for node in model.graph.node for name in node.output}
    watched = {each.input[0]: Watched(_grid(each, constants)) for each in nodes}
    parts = {name: _joined(model, makers.get(name)) for name in watched}
    reach = {part: 0.0 for each in parts.values() for part in each}
    names = [*watched, *(name for name in reach if name not in watched)]
    for batch in _values(model, names, artifact, dataset, threads, control):
        for name, array in batch.items():
            if name in watched:
                watched[name].add(array)
            if name in reach:
                reach[name] = max(reach[name], float(np.abs(array).max(initial=0.0)))
    joined = {name: tuple(reach[part] for part in each) for name, each in parts.items()}
    return tuple(
        _spot(facts, each, watched[each.input[0]], makers, wired, joined[each.input[0]]) for each in nodes
    )


class Watched:
    """What was seen of one tensor, as its grid takes it."""

    def __init__(self, grid: Range) -> None:
        self.grid = grid
        self.seen = Seen(histogram=Histogram())
        self._low, self._high, self._beyond, self._count = 0.0, 0.0, 0, 0

    def add(self, values: NDArray[np.float32]) -> None:
        self._low, self._high = min(self._low, float(values.min())), max(self._high, float(values.max()))
        step = (self.grid.high - self.grid.low) / _CODES
        below = values < self.grid.low - step if self.grid.low < 0 else np.zeros(values.shape, bool)
        self._beyond += int(np.count_nonzero(below | (values > self.grid.high + step)))
        self._count += values.size
        self.seen.add(np.clip(values, self.grid.low, self.grid.high))

    @property
    def extremes(self) -> Range:
        return Range(self._low, self._high)

    @property
    def clipped(self) -> float:
        return self._beyond / max(self._count, 1)

    @property
    def core(self) -> float:
        """Width of the middle 99.9 % of the values."""
        histogram = self.seen.histogram
        if histogram is None or not histogram.counts.any():
            return 0.0
        share = np.cumsum(histogram.counts) / histogram.counts.sum()
        low, high = np.searchsorted(share, [(1 - _CORE) / 2, (1 + _CORE) / 2])
        return float(histogram.centres[min(high, share.size - 1)] - histogram.centres[low])

    @property
    def channels(self) -> float:
        reach = self.seen.reach
        if reach is None or reach.size < 4:
            return 1.0
        return float(reach.max() / max(float(np.median(reach)), 1e-12 + 1e-6 * float(reach.max())))


def _rounded(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    constants = _constants(model)
    return [
        node
        for node in model.graph.node
        if node.op_type == "QuantizeLinear"
        and node.input[0] not in constants
        and len(node.input) > 2
        and node.input[1] in constants
        and node.input[2] in constants
    ]


def _constants(model: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    return {tensor.name: tensor for tensor in model.graph.initializer}


def _grid(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]) -> Range:
    from onnx import numpy_helper

    scale, zero = (numpy_helper.to_array(constants[name]) for name in node.input[1:3])
    least = int(np.iinfo(zero.dtype).min)
    low = float((least - int(zero)) * float(scale))
    return Range(low, low + _CODES * float(scale))


def _joined(model: onnx.ModelProto, node: onnx.NodeProto | None) -> list[str]:
    """What a Concat or an Add joins, constants left out."""
    if node is None or node.op_type not in JOINS:
        return []
    constants = _constants(model)
    return [name for name in node.input if name not in constants]


def _values(
    model: onnx.ModelProto,
    names: Sequence[str],
    artifact: SessionSource,
    dataset: Dataset,
    threads: int,
    control: Control,
) -> Iterator[dict[str, NDArray[np.float32]]]:
    """The tensors batch by batch; model inputs come from the data themselves."""
    given = {each.name for each in model.graph.input}
    inner = [name for name in dict.fromkeys(names) if name not in given]
    runner = tap_runner(model, inner, artifact, threads) if inner else None
    total = min(SAMPLES, len(dataset))
    for start in range(0, total, BATCH):
        inputs = dataset.inputs(start, min(start + BATCH, total))
        found = dict(zip(inner, runner.run(inputs), strict=True)) if runner else {}
        found |= {name: array for name, array in inputs.items() if name in names}
        yield {name: np.asarray(array, np.float32) for name, array in found.items()}
        control.step(min(start + BATCH, total) / total, "looking at ranges")


def _spot(
    facts: Facts,
    node: onnx.NodeProto,
    watched: Watched,
    makers: Mapping[str, onnx.NodeProto],
    wired: Wiring,
    joined: tuple[float, ...],
) -> Spot:
    maker = makers.get(node.input[0])
    readers = _readers(facts, node.output[0], wired)
    name = maker.name if maker is not None else ""
    return Spot(
        tensor=node.input[0],
        node=name,
        op=maker.op_type if maker is not None else "",
        layer=name if name in facts.by_name else next(iter(readers), ""),
        readers=readers,
        grid=watched.grid,
        seen=watched.extremes,
        core=watched.core,
        clipped=watched.clipped,
        channels=watched.channels,
        joined=joined,
    )


def _readers(facts: Facts, tensor: str, wired: Wiring) -> tuple[str, ...]:
    """The layers that are reached from `tensor` without passing another layer."""
    found: dict[str, None] = {}
    waiting, seen = [tensor], {tensor}
    while waiting:
        for node in wired.consumers.get(waiting.pop(), []):
            if node.name in facts.by_name:
                found[node.name] = None
                continue
            fresh = [name for name in node.output if name not in seen]
            seen.update(fresh)
            waiting.extend(fresh)
    return tuple(found)
