"""Checks on the wiring: every name made once, everything used is made, no cycles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from studio.formats.refuse import fail, shown
from studio.graph.protos import inner_inputs, subgraphs_of

if TYPE_CHECKING:
    import onnx

Names = frozenset[str] | set[str]


def check_graphs(proto: onnx.ModelProto, path: Path) -> None:
    """Check the main graph, its subgraphs with what they may capture, and the functions."""
    waiting: list[tuple[onnx.GraphProto, tuple[Names, ...]]] = [(proto.graph, ())]
    for function in proto.functions:
        made = _unique([*function.input, *_outputs(function.node)], path)
        _check_used(list(function.node), function.output, (made,), path)
        _check_acyclic(list(function.node), path)
        waiting.extend(_inside(function.node, (made,)))
    while waiting:
        graph, outer = waiting.pop()
        waiting.extend(_inside(graph.node, (*outer, _check_graph(graph, outer, path))))


def _check_graph(graph: onnx.GraphProto, outer: tuple[Names, ...], path: Path) -> Names:
    inputs = _unique([value.name for value in graph.input], path)
    _unique([tensor.name for tensor in graph.initializer], path)
    defaults = {tensor.name for tensor in graph.initializer} - inputs
    made = _unique([*inputs, *defaults, *_outputs(graph.node)], path)
    _check_dims(graph, path)
    _check_used(list(graph.node), [value.name for value in graph.output], (*outer, made), path)
    _check_acyclic(list(graph.node), path)
    return made


def _check_dims(graph: onnx.GraphProto, path: Path) -> None:
    for value in (*graph.input, *graph.output, *graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.HasField("dim_value") and dim.dim_value < 0:
                fail(path, f"tensor {shown(value.name)} has the negative dimension {dim.dim_value}")


def _unique(names: list[str], path: Path) -> Names:
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str):
            fail(path, "a name in it is not valid UTF-8 text")  # protobuf then gives bytes
        if name in seen:
            fail(path, f"two tensors in it have the name {shown(name)}")
        seen.add(name)
    if "" in seen:
        fail(path, "a tensor in it has no name")
    return seen


def _outputs(nodes: Iterator[onnx.NodeProto] | list[onnx.NodeProto]) -> Iterator[str]:
    return (name for node in nodes for name in node.output if name)


def _check_used(
    nodes: list[onnx.NodeProto], outputs: list[str], scopes: tuple[Names, ...], path: Path
) -> None:
    for node in nodes:
        for name in node.input:
            if name and not any(name in scope for scope in scopes):
                who = shown(node.name or node.op_type)
                fail(path, f"node {who} uses the tensor {shown(name)}, which nothing makes")
    for name in outputs:
        if not any(name in scope for scope in scopes):
            fail(path, f"its output {shown(name)} is made by no node")


def _check_acyclic(nodes: list[onnx.NodeProto], path: Path) -> None:
    """Kahn's algorithm over tensors that nodes and their subgraphs use."""
    maker = {name: index for index, node in enumerate(nodes) for name in node.output if name}
    users: list[list[int]] = [[] for _ in nodes]
    missing = [0] * len(nodes)
    for index, node in enumerate(nodes):
        for source in {maker[name] for name in (*node.input, *inner_inputs(node)) if name in maker}:
            users[source].append(index)
            missing[index] += 1
    ready = [index for index, count in enumerate(missing) if not count]
    done = 0
    while ready:
        done += 1
        for user in users[ready.pop()]:
            missing[user] -= 1
            if not missing[user]:
                ready.append(user)
    if done < len(nodes):
        stuck = next(node for node, count in zip(nodes, missing, strict=True) if count)
        fail(path, f"its graph runs in a circle through node {shown(stuck.name or stuck.op_type)}")


def _inside(
    nodes: Iterator[onnx.NodeProto] | list[onnx.NodeProto], outer: tuple[Names, ...]
) -> Iterator[tuple[onnx.GraphProto, tuple[Names, ...]]]:
    return ((graph, outer) for node in nodes for graph in subgraphs_of(node))
