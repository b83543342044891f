"""QuantizeLinear and DequantizeLinear around integer ops, so that onnxruntime fuses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from studio.compress.calibration.grids import Grid, clipped, grid_of
from studio.compress.calibration.ranges import Range
from studio.compress.work import Work, array_of, bypass, only_consumer, set_input
from studio.compress.write.places import MOVES, Places, clip_of, data_inputs
from studio.compress.write.storage import Shelf

if TYPE_CHECKING:
    import onnx_ir as ir

Ranges = Mapping[str, Range]


def insert_pairs(work: Work, places: Places, ranges: Ranges, shelf: Shelf) -> dict[ir.Value, ir.Value]:
    """QuantizeLinear and DequantizeLinear behind every coded or entered value.

    Returns the scale of each value behind a pair. Clips that a grid stands for are taken out.
    """
    grids = _absorb_clips(work, places, ranges)
    scales: dict[ir.Value, ir.Value] = {}
    for value, grid in grids.items():
        parts = (shelf.constant(grid.scale_array()), shelf.constant(grid.zero_array()))
        back = _pair(work, value, parts)
        _rewire(value, back, places)
        scales[back] = parts[0]
    return scales


def _absorb_clips(work: Work, places: Places, ranges: Ranges) -> dict[ir.Value, Grid]:
    """Take out the clips that a grid stands for, and give every coded or entered value its grid."""
    limits: dict[ir.Value, tuple[float, float]] = {}
    for node in [each for each in places.integer if clip_of(each) is not None]:
        source, limit = node.inputs[0], clip_of(node)
        assert source is not None
        assert limit is not None
        before = limits.get(source, (float("-inf"), float("inf")))
        limits[source] = (max(before[0], limit[0]), min(before[1], limit[1]))
        places.coded.pop(node.outputs[0], None)
        places.integer.pop(node)
        bypass(work.model, node)
    grids: dict[ir.Value, Grid] = {}
    for value in (*places.entered, *places.coded):
        grids[value] = _grid(value, grids, limits, ranges, work.target.activation_type)
    return grids


def _grid(
    value: ir.Value,
    grids: Mapping[ir.Value, Grid],
    limits: Mapping[ir.Value, tuple[float, float]],
    ranges: Ranges,
    kind: str,
) -> Grid:
    """Moves keep their input's grid, so that onnxruntime can drop the pair and move codes."""
    producer = value.producer()
    source = data_inputs(producer)[0] if producer is not None and producer.op_type in MOVES else None
    if source is not None and source in grids:
        return grids[source]
    seen = ranges[str(value.name)]
    return grid_of(clipped(seen, *limits[value]) if value in limits else seen, kind)


def _pair(work: Work, value: ir.Value, parts: tuple[ir.Value, ir.Value]) -> ir.Value:
    producer = value.producer()
    if producer is None:
        first = next(iter(work.model.graph))
        codes = work.before(first, "QuantizeLinear", [value, *parts])
        return work.before(first, "DequantizeLinear", [codes, *parts])
    codes = work.after(producer, "QuantizeLinear", [value, *parts])
    maker = codes.producer()
    assert maker is not None
    return work.after(maker, "DequantizeLinear", [codes, *parts])


def _rewire(value: ir.Value, back: ir.Value, places: Places) -> None:
    """Let the readers of `value` read `back`: all of them where it is coded, else the integer ones."""
    coded = value in places.coded
    for node, index in list(value.uses()):
        if node.op_type == "QuantizeLinear" and node is _maker_of_codes(back):
            continue
        if coded or (node in places.integer and value in data_inputs(node)):
            node.replace_input_with(index, back)
    if coded:
        hand_over(value, back)


def _maker_of_codes(back: ir.Value) -> ir.Node | None:
    dequantize = back.producer()
    codes = dequantize.inputs[0] if dequantize is not None else None
    return codes.producer() if codes is not None else None


def hand_over(value: ir.Value, back: ir.Value) -> None:
    """The value behind the pair takes the tensor's name, and its place among the graph's outputs."""
    short, name = back.name, value.name
    graph = value.graph
    if graph is not None and value.is_graph_output():
        back.type, back.shape = value.type, value.shape
        for index, output in enumerate(graph.outputs):
            if output is value:
                graph.outputs[index] = back
    back.name, value.name = None, short
    back.name = name


def keep_apart(work: Work, node: ir.Node) -> None:
    """Keep onnxruntime from making a float Gemm of an integer MatMul and the Add behind it.

    Where every size is known it joins them before it looks for integers; a vector of full rank is not
    what it looks for.
    """
    follower = only_consumer(node.outputs[0])
    shapes = {fact.name: fact.shape for fact in work.facts.tensors}
    shape = shapes.get(str(node.outputs[0].name))
    if follower is None or follower.op_type != "Add" or shape is None or len(shape) < 3:
        return
    index = 1 if follower.inputs[0] is node.outputs[0] else 0
    vector = array_of(follower.inputs[index])
    if vector is not None and vector.ndim == 1 and all(isinstance(size, int) for size in shape):
        wide = vector.reshape((1,) * (len(shape) - 1) + (-1,))
        set_input(follower, index, work.constant(wide, work.release(follower.inputs[index])))
