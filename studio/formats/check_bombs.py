"""Nodes that make a lot from little: refused where constants alone say so.

onnxruntime computes constant parts of a graph while a session opens, so a few bytes can ask for
terabytes or for ever. What depends on data is bounded when it runs, in the guarded process.
"""

from __future__ import annotations

from math import ceil, isfinite, prod
from pathlib import Path
from typing import TYPE_CHECKING

from studio.formats.refuse import fail, shown
from studio.graph.protos import graphs_in

if TYPE_CHECKING:
    import onnx

    Constants = dict[str, onnx.TensorProto]

MAX_ELEMENTS = 1 << 28
MAX_TRIPS = 10_000_000
_SMALL = 4096


def check_bombs(proto: onnx.ModelProto, path: Path) -> None:
    """Refuse constant sizes above 2^28 elements and loops that nothing ends."""
    constants: Constants = {}
    for graph in graphs_in(proto):
        constants |= {tensor.name: tensor for tensor in graph.initializer if _small(tensor)}
        constants |= dict(_constant_nodes(list(graph.node)))
    for graph in graphs_in(proto):
        _check_nodes(list(graph.node), constants, path)
    for function in proto.functions:
        inner = dict(_constant_nodes(list(function.node)))
        _check_nodes(list(function.node), inner, path)


def _check_nodes(nodes: list[onnx.NodeProto], constants: Constants, path: Path) -> None:
    for node in nodes:
        count = _elements(node, constants)
        if count is not None and count > MAX_ELEMENTS:
            who = shown(node.name or node.op_type)
            fail(path, f"node {who} ({node.op_type}) makes a tensor of {count:,} elements")
        if node.op_type == "Loop" and _endless(node, constants):
            fail(path, f"node {shown(node.name or 'Loop')} is a loop that nothing ends")


def _elements(node: onnx.NodeProto, constants: Constants) -> int | None:
    """Elements that a node makes, as far as constants alone tell."""
    values = [_numbers(constants.get(name)) for name in node.input]
    op = node.op_type
    if op in ("RandomNormal", "RandomUniform"):
        return prod(_attribute_ints(node, "shape"))
    if op == "ConstantOfShape" and values and values[0] is not None:
        return _product(values[0])
    if op in ("Expand", "Tile", "Resize") and len(values) > 1 and values[-1] is not None:
        return None if op == "Resize" and len(values) < 4 else _product(values[-1])
    if op == "Range" and len(values) == 3:
        return _range(values)
    return None


def _product(values: list[float]) -> int:
    return prod(max(int(value), 1) for value in values if isfinite(value))


def _range(values: list[list[float] | None]) -> int | None:
    if any(value is None or len(value) != 1 for value in values):
        return None
    start, limit, delta = (value[0] for value in values if value)
    steps = (limit - start) / delta if delta else 0.0
    return max(ceil(steps), 0) if isfinite(steps) else None


def _endless(node: onnx.NodeProto, constants: Constants) -> bool:
    """Whether a loop neither counts to a bound nor can ever see its condition turn false."""
    trips = _numbers(constants.get(node.input[0])) if node.input and node.input[0] else None
    if node.input and node.input[0] and trips is None:
        return False  # counted by data: known only when it runs
    if trips and trips[0] <= MAX_TRIPS:
        return False
    start = constants.get(node.input[1]) if len(node.input) > 1 and node.input[1] else None
    if start is not None and _numbers(start) == [0.0]:
        return False
    return any(attribute.name == "body" and _stays_true(attribute.g) for attribute in node.attribute)


def _stays_true(body: onnx.GraphProto) -> bool:
    """Whether the body's condition is a constant true or the incoming condition passed on."""
    makers = {name: node for node in body.node for name in node.output}
    constants = {tensor.name: tensor for tensor in body.initializer} | dict(_constant_nodes(list(body.node)))
    if not body.output or len(body.input) < 2:
        return False
    name = body.output[0].name
    for _ in range(len(body.node) + 1):
        if name == body.input[1].name:
            return True
        if name in constants:
            return _numbers(constants[name]) != [0.0]
        maker = makers.get(name)
        if maker is None or maker.op_type not in ("Identity", "Cast"):
            return False
        name = maker.input[0]
    return False


def _constant_nodes(nodes: list[onnx.NodeProto]) -> list[tuple[str, onnx.TensorProto]]:
    import numpy as np
    from onnx import numpy_helper

    found = []
    for node in nodes:
        if node.op_type != "Constant" or not node.output:
            continue
        for attribute in node.attribute:
            if attribute.name == "value" and _small(attribute.t):
                found.append((node.output[0], attribute.t))
            elif attribute.name in ("value_int", "value_ints"):
                ints = list(attribute.ints) or [attribute.i]
                found.append((node.output[0], numpy_helper.from_array(np.array(ints, np.int64))))
    return found


def _small(tensor: onnx.TensorProto) -> bool:
    return prod(tensor.dims) <= _SMALL and tensor.data_location != tensor.EXTERNAL


def _numbers(tensor: onnx.TensorProto | None) -> list[float] | None:
    """A small numeric tensor's values, flat; None for anything else."""
    from onnx import numpy_helper

    if tensor is None or tensor.data_type not in (1, 6, 7, 9, 10, 11):
        return None
    return [float(value) for value in numpy_helper.to_array(tensor).flat]


def _attribute_ints(node: onnx.NodeProto, name: str) -> list[int]:
    return [value for attribute in node.attribute if attribute.name == name for value in attribute.ints]
