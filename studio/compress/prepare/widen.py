"""Widen a model that computes in 16-bit floats to float32, so that passes can work on it.

Every value of float16 or bfloat16 is a float32 too, so nothing is lost; only the net's own rounding after
each op is gone. Inputs and outputs keep their types, behind a Cast. Layers that stay float go back to 16
bits in the file when they are stored (see `emit`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.work import attribute, bypass, can_bypass
from studio.graph.constants import tensor_of
from studio.graph.model import Facts, TensorFact

if TYPE_CHECKING:
    import onnx_ir as ir

HALF = ("FLOAT16", "BFLOAT16")
_FLOATS = ("FLOAT", *HALF)


def is_half(facts: Facts) -> bool:
    """Whether the model holds tensors or weights of 16-bit floats."""
    return any(layer.bits == 16 for layer in facts.layers) or any(t.dtype in HALF for t in facts.tensors)


def widen(model: ir.Model, facts: Facts) -> Facts:
    """Bring the main graph of `model` to float32, in place; returns the facts that are true of it then.

    Models with functions or subgraphs are left as they are.
    """
    if model.functions or any(_inner(node) for node in model.graph):
        return facts
    floats = {fact.name for fact in facts.tensors if fact.dtype in _FLOATS}
    for initializer in list(model.graph.initializers.values()):
        _widen_constant(initializer)
    made = [_from_input(model, value) for value in model.graph.inputs if _half(value)]
    for node in list(model.graph):
        _widen_node(model, node, floats)
    given = [(index, value) for index, value in enumerate(model.graph.outputs) if _half(value)]
    given = [(index, value) for index, value in given if value.producer() is not None]
    kept = {value.name for value in model.graph.inputs} | {value.name for _, value in given}
    made += [_to_output(model, index, value) for index, value in given]
    tensors = tuple(
        replace(fact, dtype="FLOAT") if fact.dtype in HALF and fact.name not in kept else fact
        for fact in facts.tensors
    )
    return replace(facts, tensors=(*tensors, *made))


def _inner(node: ir.Node) -> bool:
    return any(each.type.name in ("GRAPH", "GRAPHS") for each in node.attributes.values())


def _half(value: ir.Value) -> bool:
    return value.dtype is not None and value.dtype.name in HALF


def _widen_constant(value: ir.Value) -> None:
    import onnx_ir as ir

    tensor = value.const_value
    if tensor is None or tensor.dtype.name not in HALF or value.is_graph_output():
        return
    value.const_value = ir.Tensor(np.asarray(tensor.numpy()).astype(np.float32), name=value.name)
    value.dtype = ir.DataType.FLOAT


def _from_input(model: ir.Model, value: ir.Value) -> TensorFact:
    import onnx_ir as ir

    node = ir.node("Cast", [value], {"to": int(ir.DataType.FLOAT)})
    wide = node.outputs[0]
    wide.name, wide.shape, wide.type = f"{value.name}.float32", value.shape, ir.TensorType(ir.DataType.FLOAT)
    value.replace_all_uses_with(wide)
    node.replace_input_with(0, value)
    model.graph.insert_before(model.graph[0], node)
    return _told(wide)


def _told(value: ir.Value) -> TensorFact:
    shape = value.shape
    dims = None if shape is None else tuple(dim if isinstance(dim, int) else str(dim) for dim in shape)
    return TensorFact(str(value.name), "FLOAT", dims)


def _widen_node(model: ir.Model, node: ir.Node, floats: set[str]) -> None:
    """Constants and casts to 16 bits become float32; a cast between floats does nothing any more."""
    import onnx_ir as ir

    if node.op_type == "Constant" and tensor_of(node.outputs[0]) is not None:
        tensor = tensor_of(node.outputs[0])
        if tensor is not None and tensor.dtype.name in HALF:
            array = np.asarray(tensor.numpy()).astype(np.float32)
            node.attributes["value"] = ir.AttrTensor("value", ir.Tensor(array))
    elif node.op_type == "ConstantOfShape":
        tensor = attribute(node, "value")
        if tensor is not None and tensor.dtype.name in HALF:
            array = np.asarray(tensor.numpy()).astype(np.float32)
            node.attributes["value"] = ir.AttrTensor("value", ir.Tensor(array))
    elif node.op_type == "Cast":
        _widen_cast(model, node, floats)
    for value in node.outputs:
        if _half(value) and not value.is_graph_output():
            value.dtype = ir.DataType.FLOAT


def _widen_cast(model: ir.Model, node: ir.Node, floats: set[str]) -> None:
    import onnx_ir as ir

    source = node.inputs[0]
    if ir.DataType(attribute(node, "to")).name not in _FLOATS or source is None or _half(source):
        return
    node.attributes["to"] = ir.AttrInt64("to", int(ir.DataType.FLOAT))
    tensor = tensor_of(source)
    constant = tensor is not None and tensor.dtype == ir.DataType.FLOAT
    if (constant or source.name in floats) and can_bypass(node):
        bypass(model, node)


def _to_output(model: ir.Model, index: int, value: ir.Value) -> TensorFact:
    """The output under its name and in its type, made of what is float32 now."""
    import onnx_ir as ir

    maker, kind = value.producer(), value.dtype
    assert maker is not None
    assert kind is not None
    node = ir.node("Cast", [value], {"to": int(kind)})
    narrow, name = node.outputs[0], value.name
    narrow.type, narrow.shape = value.type, value.shape
    value.name, narrow.name = f"{name}.float32", name
    value.type = ir.TensorType(ir.DataType.FLOAT)
    model.graph.insert_after(maker, node)
    model.graph.outputs[index] = narrow
    return _told(value)
