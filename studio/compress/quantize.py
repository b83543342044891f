"""Write the plan into the graph: int8 weights in their storage, Q/DQ pairs, int32 biases, float16."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.fold import along, bias_array, sweep, weight_array
from studio.compress.grids import Grid, clipped, grid_of
from studio.compress.places import MOVES, Places, clip_of, data_inputs, find_places
from studio.compress.ranges import Range
from studio.compress.storage import Shelf, choose, masked_float_bytes, place, place_masked_float
from studio.compress.weights import Levels, quantize
from studio.compress.work import Array, Work, bypass, set_input
from studio.graph.model import LayerFact
from studio.recipe.resolve import LayerPlan

if TYPE_CHECKING:
    import onnx_ir as ir

Ranges = Mapping[str, Range]
_REDUCED = 63
_BIAS_ROOM = 2.0**30


def quantize_graph(work: Work, ranges: Ranges) -> None:
    """Q/DQ for every integer op, then each layer's weight in the form its row asks for.

    `ranges` gives the range of every float tensor by name; it may be empty where no row has 8-bit
    activations. Names of tensors live on behind their DequantizeLinear.
    """
    places = find_places(work)
    grids = _absorb_clips(work, places, ranges)
    shelf = Shelf(work)
    scales = _insert_pairs(work, places, grids, shelf)
    for fact, row, node in work.layers():
        _store_weight(work, shelf, fact, row, node, scales)
    sweep(work)


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


def _insert_pairs(
    work: Work, places: Places, grids: Mapping[ir.Value, Grid], shelf: Shelf
) -> dict[ir.Value, ir.Value]:
    """QuantizeLinear and DequantizeLinear behind every value with a grid; the scale behind each."""
    scales: dict[ir.Value, ir.Value] = {}
    for value, grid in grids.items():
        parts = (shelf.constant(grid.scale_array()), shelf.constant(grid.zero_array()))
        back = _pair(work, value, parts)
        _rewire(value, back, places)
        scales[back] = parts[0]
    return scales


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
        _hand_over(value, back)


def _maker_of_codes(back: ir.Value) -> ir.Node | None:
    dequantize = back.producer()
    codes = dequantize.inputs[0] if dequantize is not None else None
    return codes.producer() if codes is not None else None


def _hand_over(value: ir.Value, back: ir.Value) -> None:
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


def _store_weight(
    work: Work,
    shelf: Shelf,
    fact: LayerFact,
    row: LayerPlan,
    node: ir.Node,
    scales: Mapping[ir.Value, ir.Value],
) -> None:
    weight = weight_array(node)
    if weight is None or not row.touched:
        return
    source = node.inputs[0]
    scale = scales.get(source) if source is not None else None
    if row.bits <= 8:
        levels = _levels(work, fact, row, node, weight, scale)
        _store_levels(work, shelf, fact, row, node, levels, scale)
    else:
        _store_float(work, shelf, fact, row, node, weight)


def _levels(
    work: Work, fact: LayerFact, row: LayerPlan, node: ir.Node, weight: Array, scale: ir.Value | None
) -> Levels:
    bias = bias_array(node, fact.out_channels) if fact.op != "MatMul" else None
    floor = None
    if scale is not None and scale.const_value is not None and bias is not None:
        floor = (np.abs(bias) / (float(scale.const_value.numpy()) * _BIAS_ROOM)).astype(np.float32)
    return quantize(
        weight,
        row.bits,
        fact.channel_axis,
        per_channel=row.granularity != "tensor",
        keep_zero=row.sparsity > 0 and row.structure == "unstructured",
        floor=floor,
        limit=_REDUCED if work.target.reduce_range else 127,
    )


def _store_levels(
    work: Work,
    shelf: Shelf,
    fact: LayerFact,
    row: LayerPlan,
    node: ir.Node,
    levels: Levels,
    scale: ir.Value | None,
) -> None:
    storage = choose(levels, row.storage, work.model.opset_imports.get("", 0))
    work.storage[fact.name] = storage
    bias = bias_array(node, fact.out_channels) if len(node.inputs) > 2 else None
    name = work.release(node.inputs[1])
    codes = place(shelf, node, levels, storage, name, work.model.opset_imports.get("", 0))
    if scale is None:
        set_input(node, 1, _as_float(work, shelf, node, codes, levels))
        return
    steps = shelf.constant(levels.scale if levels.scale.size > 1 else levels.scale.reshape(()))
    axis = {"axis": levels.axis} if levels.scale.size > 1 else {}
    set_input(node, 1, work.before(node, "DequantizeLinear", [codes, steps], axis))
    if bias is not None and bias.any():
        _store_bias(work, shelf, node, bias, scale, steps)


def _store_bias(
    work: Work, shelf: Shelf, node: ir.Node, bias: Array, scale: ir.Value, steps: ir.Value
) -> None:
    """int32 codes of the accumulator's scale, which is a product that folds at load: four bytes saved."""
    assert scale.const_value is not None
    assert steps.const_value is not None
    unit = scale.const_value.numpy() * steps.const_value.numpy()
    codes = np.rint(bias.astype(np.float64) / unit).astype(np.int32)
    stored = work.constant(codes, work.release(node.inputs[2]))
    axis = {"axis": 0} if steps.const_value.size > 1 else {}
    product = work.before(node, "Mul", [scale, steps])
    set_input(node, 2, work.before(node, "DequantizeLinear", [stored, product], axis))


def _as_float(work: Work, shelf: Shelf, node: ir.Node, codes: ir.Value, levels: Levels) -> ir.Value:
    """Cast and Mul, which fold at load; a DequantizeLinear would be run every time."""
    import onnx_ir as ir

    wide = work.before(node, "Cast", [codes], {"to": int(ir.DataType.FLOAT)})
    steps = shelf.constant(along(levels.scale, levels.values.ndim, levels.axis))
    return work.before(node, "Mul", [wide, steps])


def _store_float(
    work: Work, shelf: Shelf, fact: LayerFact, row: LayerPlan, node: ir.Node, weight: Array
) -> None:
    import onnx_ir as ir

    stored = weight.astype(np.float16) if row.bits == 16 else weight
    masked = row.storage == "masked" or masked_float_bytes(stored) < stored.nbytes
    work.storage[fact.name] = "masked" if masked else "dense"
    name = work.release(node.inputs[1])
    value = place_masked_float(shelf, node, stored, name) if masked else work.constant(stored, name)
    if row.bits == 16:
        value = work.before(node, "Cast", [value], {"to": int(ir.DataType.FLOAT)})
    set_input(node, 1, value)
