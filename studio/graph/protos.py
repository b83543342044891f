"""Walking an ONNX protobuf: every node, graph and tensor in it, subgraphs and functions included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx


def graphs_in(proto: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The main graph and all subgraphs, outer before inner."""
    yield proto.graph
    for node in proto.graph.node:
        yield from _subgraphs(node)
    for function in proto.functions:
        for node in function.node:
            yield from _subgraphs(node)


def nodes_in(proto: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """All nodes of all graphs, subgraphs and functions."""
    for graph in graphs_in(proto):
        yield from graph.node
    for function in proto.functions:
        yield from function.node


def tensors_in(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """All stored tensors: initializers (the parts of sparse ones too) and attributes."""
    for graph in graphs_in(proto):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in nodes_in(proto):
        for attribute in node.attribute:
            yield from _attribute_tensors(attribute)
    for function in proto.functions:
        for attribute in function.attribute_proto:
            yield from _attribute_tensors(attribute)


def subgraphs_of(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The graphs that a node holds directly."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def inner_inputs(node: onnx.NodeProto) -> Iterator[str]:
    """Names that a node's subgraphs use from outside (nesting is bounded before)."""
    for graph in subgraphs_of(node):
        own = {name for inner in graph.node for name in inner.output}
        own |= {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
        for inner in graph.node:
            yield from (name for name in (*inner.input, *inner_inputs(inner)) if name not in own)
        yield from (value.name for value in graph.output if value.name not in own)


def _subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    waiting = list(subgraphs_of(node))
    while waiting:
        graph = waiting.pop()
        yield graph
        waiting.extend(inner for each in graph.node for inner in subgraphs_of(each))


def _attribute_tensors(attribute: onnx.AttributeProto) -> Iterator[onnx.TensorProto]:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors
    if attribute.HasField("sparse_tensor"):
        yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
    for sparse in attribute.sparse_tensors:
        yield from (sparse.values, sparse.indices)
