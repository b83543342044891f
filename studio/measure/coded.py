"""Which tensors of a built file are codes, and what these can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.metrics import CodedRange

if TYPE_CHECKING:
    import onnx

_LEVELS = {"INT8": (-128, 127), "UINT8": (0, 255), "INT16": (-32768, 32767), "UINT16": (0, 65535)}


def coded(graph: onnx.GraphProto) -> dict[str, CodedRange]:
    """The range of every tensor of the main graph that is held as codes, under the name it is read by.

    That is what comes out of a DequantizeLinear, and under its own name what goes into the
    QuantizeLinear before it. Codes of weights, and of more than 16 bits, have no entry.
    """
    constants = {each.name: each for each in graph.initializer}
    found: dict[str, CodedRange] = {}
    codes: dict[str, tuple[float, float, int]] = {}
    for node in graph.node:
        if node.op_type == "QuantizeLinear" and (ends := _ends(node, constants)) is not None:
            codes[node.output[0]] = ends
            found[node.input[0]] = CodedRange(node.input[0], *ends)
        elif node.op_type == "DequantizeLinear" and node.input[0] in codes:
            found[node.output[0]] = CodedRange(node.output[0], *codes[node.input[0]])
    return found


def _ends(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> tuple[float, float, int] | None:
    """(lowest, highest, how many) of the values that codes of this node stand for."""
    import onnx

    parts = [constants.get(name) for name in node.input[1:3]]
    if len(parts) != 2 or parts[0] is None or parts[1] is None:
        return None
    scale, zero = (onnx.numpy_helper.to_array(part) for part in parts if part is not None)
    span = _LEVELS.get(onnx.TensorProto.DataType.Name(parts[1].data_type))
    if span is None or scale.size != 1 or zero.size != 1:
        return None
    low, high = ((end - int(zero.reshape(-1)[0])) * float(scale.reshape(-1)[0]) for end in span)
    return low, high, span[1] - span[0] + 1
