"""Write levels and grids into the graph: int8 weights in their storage, Q/DQ pairs, biases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.levels.blocks import place_blocks
from studio.compress.levels.quantize import levels_of
from studio.compress.levels.weights import Levels
from studio.compress.parts import along, bias_array, weight_array
from studio.compress.prepare.clean import drop_unused, share_equals
from studio.compress.work import Work, set_input
from studio.compress.write.dynamic import Found, levels_for, place_dynamic, why_not_dynamic
from studio.compress.write.halves import store_float
from studio.compress.write.pairs import Ranges, insert_pairs, keep_apart
from studio.compress.write.places import find_places
from studio.compress.write.scales import narrowed, place_bias, place_scale
from studio.compress.write.storage import Shelf, choose, place, why_not
from studio.graph.model import LayerFact
from studio.recipe.resolve import LayerPlan
from studio.recipe.settings import FLOAT

if TYPE_CHECKING:
    import onnx_ir as ir

_BIAS_ROOM = 2.0**30


def emit(work: Work, levels: Mapping[str, Levels], ranges: Ranges) -> None:
    """Q/DQ for every integer op, then each layer's weight in the form its row asks for.

    `levels` holds the quantized weights by layer; `ranges` the range of every float tensor by name,
    empty where no row has 8-bit activations. Tensor names live on behind their DequantizeLinear.
    """
    work.forget_names()
    shelf = Shelf(work)
    _refuse_dynamic(work, levels)
    scales = insert_pairs(work, find_places(work, _integer_layers(work, levels)), ranges, shelf)
    found = Found(work)
    for fact, row, node in work.layers():
        source = node.inputs[0]
        scale = scales.get(source) if source is not None else None
        if fact.name in levels and row.dynamic:
            _store_dynamic(work, shelf, found, fact, row, node, levels[fact.name])
        elif fact.name in levels:
            fitting = _with_room(work, fact, row, node, levels[fact.name], scale)
            _store_levels(work, shelf, fact, row, node, fitting, scale)
        else:
            store_float(work, shelf, fact, row, node)
    share_equals(work)
    drop_unused(work)


def _integer_layers(work: Work, levels: Mapping[str, Levels]) -> dict[ir.Node, None]:
    """Nodes of the layers that run on integers; those that cannot are refused."""
    found: dict[ir.Node, None] = {}
    for fact, row, node in work.layers():
        if row.activations > 8 or row.dynamic:
            continue
        if fact.name in levels and (
            node.op_type == "MatMul" or bias_array(node, fact.out_channels) is not None
        ):
            found[node] = None
        else:
            reason = "its weight or bias is computed while running"
            work.refuse(fact.name, "activations", row.activations, FLOAT, reason)
            work.rows[fact.name] = replace(row, activations=FLOAT)
    return found


def _refuse_dynamic(work: Work, levels: Mapping[str, Levels]) -> None:
    for fact, row, node in work.layers():
        reason = why_not_dynamic(node) if fact.name in levels else "its weight is computed while running"
        if row.dynamic and reason:
            work.refuse(fact.name, "dynamic", "true", "false", reason)
            work.rows[fact.name] = replace(row, dynamic=False, activations=FLOAT)


def _store_dynamic(
    work: Work, shelf: Shelf, found: Found, fact: LayerFact, row: LayerPlan, node: ir.Node, levels: Levels
) -> None:
    turned = levels_for(node, levels)
    storage = _storage(work, fact, row, turned)
    place_dynamic(shelf, found, node, turned, _placed(shelf, node, turned, storage))


def _storage(work: Work, fact: LayerFact, row: LayerPlan, levels: Levels) -> str:
    """How the weight is stored; a wish for another way is refused with its reason."""
    storage = choose(levels, row.storage, work.model.opset_imports.get("", 0))
    work.storage[fact.name] = storage
    if row.storage not in ("auto", storage):
        work.refuse(fact.name, "storage", row.storage, storage, why_not(row.storage, levels))
    return storage


def _with_room(
    work: Work, fact: LayerFact, row: LayerPlan, node: ir.Node, levels: Levels, scale: ir.Value | None
) -> Levels:
    """The levels, or new ones with larger scales where an int32 bias would overflow."""
    bias = bias_array(node, fact.out_channels) if node.op_type != "MatMul" else None
    weight = weight_array(node)
    if scale is None or scale.const_value is None or bias is None or weight is None:
        return levels
    floor = (np.abs(bias) / (float(scale.const_value.numpy()) * _BIAS_ROOM)).astype(np.float32)
    enough = bool((levels.scale >= (floor if levels.scale.size > 1 else floor.max(initial=0.0))).all())
    return levels if enough else levels_of(work, fact, row, weight, floor)


def _store_levels(
    work: Work,
    shelf: Shelf,
    fact: LayerFact,
    row: LayerPlan,
    node: ir.Node,
    levels: Levels,
    scale: ir.Value | None,
) -> None:
    if levels.block:
        work.storage[fact.name] = "packed"
        set_input(node, 1, place_blocks(shelf, node, levels, work.release(node.inputs[1])))
        return
    storage = _storage(work, fact, row, levels)
    bias = bias_array(node, fact.out_channels) if len(node.inputs) > 2 else None
    codes = _placed(shelf, node, levels, storage)
    if scale is None:
        set_input(node, 1, _as_float(work, shelf, node, codes, levels))
        return
    levels = narrowed(levels)
    steps = place_scale(shelf, node, levels)
    many = levels.scale.size > 1
    axis = {"axis": levels.axis} if many and levels.axis != 1 else {}  # 1 is ONNX's default
    parts = [codes, steps]
    if levels.zero is not None:
        parts.append(shelf.constant(levels.zero if many else levels.zero.reshape(())))
    elif node.op_type == "Gemm":  # QGemm fuses with an explicit zero point only
        parts.append(shelf.constant(np.zeros(levels.scale.size if many else (), np.int8)))
    set_input(node, 1, work.before(node, "DequantizeLinear", parts, axis))
    if node.op_type == "MatMul":
        keep_apart(work, node)
    elif bias is not None and bias.any():
        set_input(node, 2, place_bias(shelf, node, bias, scale, steps, levels))
    elif bias is not None:
        node.resize_inputs(2)  # a float bias, be it zero, would keep the kernel from fusing


def _placed(shelf: Shelf, node: ir.Node, levels: Levels, storage: str) -> ir.Value:
    """The int8 weight; layers that share one in the model share it in the file."""
    weight = node.inputs[1]
    assert weight is not None
    made = shelf.placed.get(weight)
    if made is not None and made[0] is levels:
        return made[1]
    name = shelf.work.release(weight)
    opset = shelf.work.model.opset_imports.get("", 0)
    codes = place(shelf, node, levels, storage, name, opset)
    shelf.placed[weight] = (levels, codes)
    return codes


def _as_float(work: Work, shelf: Shelf, node: ir.Node, codes: ir.Value, levels: Levels) -> ir.Value:
    """Cast and Mul, which fold at load; a DequantizeLinear would be run every time."""
    import onnx_ir as ir

    wide = work.before(node, "Cast", [codes], {"to": int(ir.DataType.FLOAT)})
    if levels.zero is not None:
        zero = along(levels.zero.astype(np.float32), levels.values.ndim, levels.axis)
        wide = work.before(node, "Sub", [wide, shelf.constant(zero)])
    steps = shelf.constant(along(levels.scale, levels.values.ndim, levels.axis))
    return work.before(node, "Mul", [wide, steps])
