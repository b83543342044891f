"""Reading a graph into frozen facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.graph.constants import elements, stored_bytes, tensor_of
from studio.graph.groups import find_groups
from studio.graph.layers import layers_of
from studio.graph.macs import macs_of
from studio.graph.model import Facts, GroupFact, LayerFact, NodeFact, TensorFact
from studio.graph.names import scope_of, unique_names
from studio.graph.shapes import Shapes, fed_inputs, shape_fact, shapes_of

if TYPE_CHECKING:
    import onnx_ir as ir

_LONG = 120
_WIDEST = 1 << 22
_WIDEST_TOGETHER = 1 << 27
_TOO_WIDE = "its model has too many channels to follow each of them"


def read_facts(model: ir.Model, *, key: str, path: str, format: str, file_bytes: int) -> Facts:
    """Everything that is known about `model` without its graph; `model` is not changed."""
    shapes = shapes_of(model)
    nodes = _nodes(model, shapes)
    layers, notes = layers_of(list(model.graph), nodes, shapes)
    groups, layers = _groups(model, layers, shapes)
    return Facts(
        key=key,
        name=model.graph.name or "",
        path=path,
        format=format,
        file_bytes=file_bytes,
        ir_version=model.ir_version,
        opsets=tuple(sorted(model.opset_imports.items())),
        producer=" ".join(part for part in (model.producer_name, model.producer_version) if part),
        inputs=tuple(_tensor(value) for value in fed_inputs(model)),
        outputs=tuple(_tensor(value) for value in model.graph.outputs),
        tensors=tuple(shapes.named.values()),
        nodes=nodes,
        layers=layers,
        groups=groups,
        notes=(*notes, *_function_notes(model)),
    )


def _groups(
    model: ir.Model, layers: tuple[LayerFact, ...], shapes: Shapes
) -> tuple[tuple[GroupFact, ...], tuple[LayerFact, ...]]:
    """Pruning groups; each layer alone where following every channel would take gigabytes."""
    widths = [max(shape, default=0) for shape in _known_shapes(layers, shapes)]
    if max(widths, default=0) <= _WIDEST and sum(widths) <= _WIDEST_TOGETHER:
        return find_groups(model, layers, {name: fact.shape for name, fact in shapes.named.items()})
    groups = tuple(
        GroupFact(layer.name, (layer.name,), (), layer.out_channels, False, _TOO_WIDE) for layer in layers
    )
    return groups, tuple(replace(layer, group=layer.name, why_not_prunable=_TOO_WIDE) for layer in layers)


def _known_shapes(layers: tuple[LayerFact, ...], shapes: Shapes) -> Iterator[list[int]]:
    yield from (list(layer.weight_shape) for layer in layers)
    for fact in shapes.single.values():
        yield [dim for dim in fact.shape or () if isinstance(dim, int)]


def _nodes(model: ir.Model, shapes: Shapes) -> tuple[NodeFact, ...]:
    nodes = list(model.graph)
    names = unique_names(nodes)
    counted: set[ir.Value] = set()
    return tuple(
        _node(index, name, node, model, shapes, counted)
        for index, (name, node) in enumerate(zip(names, nodes, strict=True))
    )


def _node(
    index: int, name: str, node: ir.Node, model: ir.Model, shapes: Shapes, counted: set[ir.Value]
) -> NodeFact:
    used = [value for value in _consumed(node) if tensor_of(value) is not None and value not in counted]
    counted.update(used)
    return NodeFact(
        index=index,
        name=name,
        op=node.op_type,
        domain=node.domain,
        scope=scope_of(node),
        inputs=_data_inputs(node),
        outputs=tuple(str(value.name or "") for value in node.outputs),
        params=sum(elements(value) for value in dict.fromkeys(used)),
        bytes=sum(stored_bytes(value) for value in dict.fromkeys(used)),
        macs=macs_of(node, shapes),
        attributes=tuple(sorted(_attributes(node))),
        body=_body(node, model),
    )


def _consumed(node: ir.Node) -> Iterator[ir.Value]:
    """Values that the node or anything in its subgraphs takes in."""
    yield from (value for value in node.inputs if value is not None)
    for inner in _inner(node):
        yield from (value for value in inner.inputs if value is not None)


def _data_inputs(node: ir.Node) -> tuple[str, ...]:
    """Computed tensors and graph inputs, those that subgraphs capture from outside included."""
    own = {value for inner in _inner(node) for value in inner.outputs}
    own |= {value for graph in _graphs(node) for value in graph.inputs}
    found = {
        str(value.name): None
        for value in _consumed(node)
        if value.name and value not in own and tensor_of(value) is None
    }
    return tuple(found)


def _inner(node: ir.Node) -> Iterator[ir.Node]:
    from onnx_ir import traversal

    for graph in _direct_graphs(node):
        yield from traversal.RecursiveGraphIterator(graph)


def _graphs(node: ir.Node) -> Iterator[ir.Graph]:
    for graph in _direct_graphs(node):
        yield graph
        yield from graph.subgraphs()


def _direct_graphs(node: ir.Node) -> Sequence[ir.Graph]:
    found: list[ir.Graph] = []
    for attribute in node.attributes.values():
        if attribute.type.name == "GRAPH" and not attribute.is_ref():
            found.append(attribute.as_graph())
        elif attribute.type.name == "GRAPHS" and not attribute.is_ref():
            found.extend(attribute.as_graphs())
    return found


def _body(node: ir.Node, model: ir.Model) -> int:
    function = model.functions.get(node.op_identifier())
    return sum(1 for _ in _inner(node)) + (len(function) if function is not None else 0)


def _attributes(node: ir.Node) -> Iterator[tuple[str, str]]:
    for name, attribute in node.attributes.items():
        if attribute.is_ref():
            yield name, f"@{attribute.ref_attr_name}"
        elif attribute.type.name in ("GRAPH", "GRAPHS"):
            yield name, attribute.type.name.lower()
        elif attribute.type.name in ("TENSOR", "SPARSE_TENSOR"):
            tensor = attribute.value
            yield name, f"{tensor.dtype.name}{list(tensor.shape.numpy())}" if tensor is not None else ""
        else:
            yield name, _short(attribute.value)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value[:16] if isinstance(value, Sequence) else value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _tensor(value: ir.Value) -> TensorFact:
    dtype = value.dtype.name if value.dtype is not None else "UNDEFINED"
    return TensorFact(str(value.name), dtype, shape_fact(value.shape))


def _function_notes(model: ir.Model) -> tuple[str, ...]:
    if not model.functions:
        return ()
    return (f"{len(model.functions)} model-local functions are kept as they are, the layers inside too",)
