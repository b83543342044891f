"""Put a quantized weight into the graph in the fewest bytes, behind standard ops.

onnxruntime folds constants when it opens a session: what is unpacked here from constants alone is
unpacked once, at load, and the kernels see an ordinary int8 weight. Forms of storage:

- `dense`: the int8 weight itself.
- `packed`: bit planes (see `packing`), put together by BitShift, MatMulInteger and a Gather from the
  table of levels; 4 bits use the INT4 type and a Cast where the opset has it.
- `codebook`: the same with a table of its own for each layer, see `studio.compress.levels.codebook`.
- `masked`: one bit per weight saying whether it is there, and the levels of those that are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.levels.weights import Levels, uniform
from studio.compress.work import Array, Work
from studio.compress.write.packing import encode, pack, packed_bytes

if TYPE_CHECKING:
    import onnx_ir as ir

_INT4_OPSET = 21
_PACK_COST = 330  # bytes of the nodes and names that unpack one weight, seen on serialized files
_INT4_COST = 30
_BOOK_COST = 110
_MASK_COST = 450


@dataclass
class Shelf:
    """What layers share: small constants, made when first asked for, and weights by their original."""

    work: Work
    made: dict[tuple[str, bytes, tuple[int, ...]], ir.Value] = field(default_factory=dict)
    placed: dict[ir.Value, tuple[Levels, ir.Value]] = field(default_factory=dict)

    def constant(self, array: Array) -> ir.Value:
        """An initializer holding `array`, the same one for equal arrays."""
        key = (array.dtype.str, array.tobytes(), array.shape)
        if key not in self.made:
            self.made[key] = self.work.constant(array)
        return self.made[key]


def choose(levels: Levels, wish: str, opset: int) -> str:
    """The storage with the fewest bytes for this weight, or the one wished for where it can be had."""
    costs = {"dense": levels.values.size, "masked": _masked_bytes(levels)}
    if levels.table is not None and np.isin(levels.values, levels.table).all():
        name = "codebook" if levels.book else "packed"
        costs[name] = packed_bytes(levels.values.size, levels.bits) + _unpack_cost(levels, opset)
    return wish if wish in costs else min(costs, key=lambda name: (costs[name], name))


def why_not(wish: str, levels: Levels) -> str:
    """Why a wished-for storage cannot be had for this weight."""
    if wish == "codebook" and levels.table is not None and not levels.book:
        return "its levels are a grid of equal steps already"
    if levels.table is None:
        return "8-bit weights have nothing to pack; choose fewer bits"
    return "the zeros of pruned weights are no level of so few bits; they need a mask"


def place(shelf: Shelf, node: ir.Node, levels: Levels, storage: str, name: str, opset: int) -> ir.Value:
    """Emit `levels` in front of `node`; the value returned is int8 in the weight's shape."""
    if storage == "masked":
        return _masked(shelf, node, levels, name)
    if storage in ("packed", "codebook") and levels.table is not None:
        if _is_int4(levels, opset):
            return _int4(shelf, node, levels.values, name)
        if levels.bits == 4 and opset >= _INT4_OPSET:
            return _uint4(shelf, node, levels.values, levels.table, name)
        return _unpacked(shelf, node, levels.values, levels.table, levels.bits, name)
    return shelf.work.constant(levels.values, name)


def place_masked_float(shelf: Shelf, node: ir.Node, weight: Array, name: str) -> ir.Value:
    """Emit a sparse float weight (float32 or float16) as a mask and the values that are there."""
    kept = np.concatenate([np.zeros(1, weight.dtype), weight[weight != 0]])
    return _spread(shelf, node, weight != 0, shelf.work.constant(kept, name))


def masked_float_bytes(weight: Array) -> int:
    """Bytes that `place_masked_float` needs for `weight`."""
    kept = int(np.count_nonzero(weight)) * weight.itemsize
    return packed_bytes(weight.size, 1) + kept + _MASK_COST


def _is_int4(levels: Levels, opset: int) -> bool:
    table = levels.table
    return opset >= _INT4_OPSET and table is not None and np.array_equal(table, uniform(4))


def _unpack_cost(levels: Levels, opset: int) -> int:
    if levels.bits == 4 and opset >= _INT4_OPSET:
        return _INT4_COST if _is_int4(levels, opset) else _BOOK_COST
    return _PACK_COST


def _masked_bytes(levels: Levels) -> int:
    kept = int(np.count_nonzero(levels.values))
    bits, unpacking = (8, 0) if levels.table is None else (levels.bits, _PACK_COST)
    return packed_bytes(levels.values.size, 1) + packed_bytes(kept, bits) + _MASK_COST + unpacking


def _int4(shelf: Shelf, node: ir.Node, values: Array, name: str) -> ir.Value:
    import ml_dtypes
    import onnx_ir as ir

    stored = shelf.work.constant(values.astype(ml_dtypes.int4), name)
    return shelf.work.before(node, "Cast", [stored], {"to": int(ir.DataType.INT8)})


def _uint4(shelf: Shelf, node: ir.Node, values: Array, table: Array, name: str) -> ir.Value:
    """Codes of any 16 levels, looked up in their table."""
    import ml_dtypes
    import onnx_ir as ir

    stored = shelf.work.constant(encode(values, table).astype(ml_dtypes.uint4), name)
    index = shelf.work.before(node, "Cast", [stored], {"to": int(ir.DataType.INT32)})
    return shelf.work.before(node, "Gather", [shelf.constant(table), index])


def _unpacked(shelf: Shelf, node: ir.Node, values: Array, table: Array, bits: int, name: str) -> ir.Value:
    """`values` (all in `table`) from bit planes, in their own shape.

    The planes' bits, weighed with 1, 2, 4, … by one matrix product, are indices into the table.
    """
    work = shelf.work
    flags = _flags(shelf, node, pack(encode(values, table), bits), name)
    powers = shelf.constant((1 << np.arange(bits)).astype(np.uint8).reshape(1, bits))
    index = work.before(node, "MatMulInteger", [powers, flags])
    codes = work.before(node, "Gather", [shelf.constant(table), index])
    return _shaped(shelf, node, codes, values.shape)


def _flags(shelf: Shelf, node: ir.Node, planes: Array, name: str) -> ir.Value:
    """The bits of (planes, bytes) as 0 and 1, uint8 (planes, 8 · bytes), from the lowest up."""
    work = shelf.work
    stored = work.constant(planes[:, :, None], name)
    left = shelf.constant(np.arange(7, -1, -1, dtype=np.uint8))
    up = work.before(node, "BitShift", [stored, left], {"direction": "LEFT"})
    seven = shelf.constant(np.array([7], np.uint8))
    flags = work.before(node, "BitShift", [up, seven], {"direction": "RIGHT"})
    return work.before(node, "Flatten", [flags], {"axis": 1})


def _shaped(shelf: Shelf, node: ir.Node, flat: ir.Value, shape: tuple[int, ...]) -> ir.Value:
    """The first elements of (1, M) in `shape`; what fills up the last byte is cut off."""
    work = shelf.work
    count = int(np.prod(shape, dtype=np.int64))
    if count % 8:
        ends = [shelf.constant(np.array([number], np.int64)) for number in (0, count, 1)]  # start, end, axis
        flat = work.before(node, "Slice", [flat, *ends])
    return work.before(node, "Reshape", [flat, shelf.constant(np.array(shape, np.int64))])


def _masked(shelf: Shelf, node: ir.Node, levels: Levels, name: str) -> ir.Value:
    values = levels.values
    kept = values[values != 0]
    if levels.table is None or kept.size == 0:
        stored = shelf.work.constant(np.concatenate([np.zeros(1, np.int8), kept]), name)
        return _spread(shelf, node, values != 0, stored)
    stored = _unpacked(shelf, node, kept, levels.table, levels.bits, name)
    zero = shelf.constant(np.zeros(1, np.int8))
    return _spread(shelf, node, values != 0, shelf.work.before(node, "Concat", [zero, stored], {"axis": 0}))


def _spread(shelf: Shelf, node: ir.Node, mask: Array, kept: ir.Value) -> ir.Value:
    """Put `kept` (a zero, then the values in order) where `mask` is set; the result has its shape."""
    import onnx_ir as ir

    work = shelf.work
    flags = _flags(shelf, node, pack(mask, 1), "")
    there = work.before(node, "Cast", [flags], {"to": int(ir.DataType.INT32)})
    count = work.before(node, "CumSum", [there, shelf.constant(np.array(1, np.int32))])
    index = work.before(node, "Mul", [count, there])
    return _shaped(shelf, node, work.before(node, "Gather", [kept, index]), mask.shape)
