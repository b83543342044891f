"""Following a value back to the constants that it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir as ir

_NOTE = "constant"
PLAIN = frozenset({"Identity", "Cast", "DequantizeLinear"})
_MAX_CHAIN = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Constants behind a value: `leaves` are initializers or Constant outputs, `ops` the ops passed.

    `main` is the leaf with the most bytes: the stored weight itself, next to scales and shifts.
    """

    leaves: tuple[ir.Value, ...]
    ops: tuple[str, ...]

    @property
    def main(self) -> ir.Value:
        return max(self.leaves, key=stored_bytes)

    @property
    def plain(self) -> bool:
        """Whether nothing but Identity, Cast and DequantizeLinear lies in between."""
        return set(self.ops) <= PLAIN


def tensor_of(value: ir.Value) -> ir.TensorProtocol | None:
    """The tensor of an initializer or of a Constant node's output, else None."""
    if value.const_value is not None:
        return value.const_value
    node = value.producer()
    if node is None or node.op_type != "Constant":
        return None
    from onnx_ir import convenience

    return convenience.get_const_tensor(value)


def origin_of(value: ir.Value | None) -> Origin | None:
    """What `value` is computed from, where that is constants alone; None where data flows in."""
    if value is None:
        return None
    leaves: dict[ir.Value, None] = {}
    ops: list[str] = []
    waiting, seen = [value], {value}
    while waiting:
        each = waiting.pop()
        if tensor_of(each) is not None:
            leaves[each] = None
            continue
        inputs = _feeders(each)
        if not inputs or len(ops) >= _MAX_CHAIN:
            return None
        ops.append(_op(each))
        waiting.extend(source for source in inputs if source not in seen)
        seen.update(inputs)
    return Origin(tuple(leaves), tuple(ops))


def is_constant(value: ir.Value | None) -> bool:
    """Whether nothing but constants flow into `value`; found once, and noted on it and on what it is made of.

    Clones keep the notes. Whoever edits a graph may put other values in a value's place, but must not
    change what flows into one.
    """
    if value is None:
        return False
    if value.const_value is not None:
        return True
    noted = value.meta.get(_NOTE)
    if noted is not None:
        return bool(noted)
    waiting = [value]
    while waiting:
        each = waiting[-1]
        known = True if tensor_of(each) is not None else each.meta.get(_NOTE)
        sources = _feeders(each) if known is None else []
        if open_ones := [
            source for source in sources if source.const_value is None and _NOTE not in source.meta
        ]:
            waiting.append(open_ones[0])
            continue
        each.meta[_NOTE] = known if known is not None else bool(sources) and _all_constant(sources)
        waiting.pop()
    return bool(value.meta[_NOTE])


def _all_constant(values: list[ir.Value]) -> bool:
    """Of values that are initializers or have been noted."""
    return all(value.const_value is not None or value.meta[_NOTE] for value in values)


def stored_bytes(value: ir.Value) -> int:
    """Bytes that a constant takes in the file; 0 where it is none."""
    tensor = tensor_of(value)
    return 0 if tensor is None else _nbytes(tensor)


def stored_bits(value: ir.Value) -> int:
    """Width of one stored element in bits; 0 where it has none (strings)."""
    tensor = tensor_of(value)
    return 0 if tensor is None else _bits(tensor)


def elements(value: ir.Value) -> int:
    """Number of elements of a constant that can be a trained parameter (no shapes, flags or text)."""
    tensor = tensor_of(value)
    if tensor is None or tensor.dtype.name in ("INT64", "BOOL", "STRING"):
        return 0
    return int(tensor.size)


def _nbytes(tensor: ir.TensorProtocol) -> int:
    bits = _bits(tensor)
    if not bits:
        return sum(len(text) for text in tensor.numpy().flat)
    return (int(tensor.size) * bits + 7) // 8


def _bits(tensor: ir.TensorProtocol) -> int:
    return 0 if tensor.dtype.name in ("STRING", "UNDEFINED") else int(tensor.dtype.bitwidth)


def _feeders(value: ir.Value) -> list[ir.Value]:
    node = value.producer()
    if node is None:
        return []
    if node.attributes and any(each.type.name in ("GRAPH", "GRAPHS") for each in node.attributes.values()):
        return []  # a subgraph may take data in from outside
    return [source for source in node.inputs if source is not None]


def _op(value: ir.Value) -> str:
    node = value.producer()
    return "" if node is None else node.op_type
