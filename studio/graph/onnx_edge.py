"""The edge between ONNX files and the graph: protobuf to onnx_ir and back, copies, facts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import ModelError
from studio.graph.model import Facts
from studio.graph.protos import tensors_in

if TYPE_CHECKING:
    import onnx
    import onnx_ir as ir

IR_MAX = 13
OPSET_MIN = 7
OPSET_MAX = 26
_PROTOBUF_MAX = (1 << 31) - (1 << 20)
_CHUNK = 1 << 24


def from_proto(proto: onnx.ModelProto, folder: str | Path = "") -> ir.Model:
    """An onnx_ir model over `proto`; tensors keep using the protobuf's memory.

    External data is looked for in `folder` and mapped when it is first read.
    """
    import onnx_ir as ir

    model = ir.from_proto(proto)
    for graph in (model.graph, *(function.graph for function in model.functions.values())):
        ir.external_data.set_base_dir(graph, folder)
    return model


def clone(model: ir.Model) -> ir.Model:
    """A copy to work on: new graph, nodes and values; weight tensors are shared, not copied."""
    return model.clone()


def to_proto(model: ir.Model) -> onnx.ModelProto:
    """The model as protobuf, at an IR version that onnxruntime takes; external data stays outside."""
    import onnx_ir as ir

    proto = ir.to_proto(model)
    proto.ir_version = min(proto.ir_version, IR_MAX)
    return proto


def serialize(model: ir.Model) -> bytes:
    """The bytes of a self-contained ONNX file; equal models give equal bytes. Raises as `whole_proto`."""
    return to_bytes(whole_proto(model))


def to_bytes(proto: onnx.ModelProto) -> bytes:
    """The bytes of `proto`; equal ones give equal bytes."""
    return bytes(proto.SerializeToString(deterministic=True))


def whole_proto(model: ir.Model) -> onnx.ModelProto:
    """A self-contained protobuf: external data is taken inside.

    IR version and opsets stay the file's own (IR at most 13).
    Raises `ModelError` above 2 GiB, which one protobuf cannot hold.
    """
    total = weight_bytes(model)
    if total > _PROTOBUF_MAX:
        raise ModelError(
            model.graph.name or "model",
            f"{total / 2**30:.1f} GiB of weights do not fit into one ONNX file",
            "Use fewer bits or more sparsity, so that less than 2 GiB remain.",
        )
    proto = to_proto(model)
    _take_inside(proto, model)
    return proto


def weight_bytes(model: ir.Model) -> int:
    """Bytes of all initializers of the main graph and its subgraphs, each counted once."""
    tensors = {id(each): each for each in _initializers(model, _nodes(model))}
    return sum(int(tensor.nbytes) for tensor in tensors.values())


def content_key(model: ir.Model) -> str:
    """sha256 over the model's content, external data included, in hex."""
    digest = hashlib.sha256(to_proto(model).SerializeToString(deterministic=True))
    for tensor in _external(model):
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def file_key(paths: list[Path]) -> str:
    """sha256 over the content of a model file and its data files, in the order given, in hex."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def facts_of(model: ir.Model, *, path: str, format: str, file_bytes: int, key: str | None = None) -> Facts:
    """All facts about `model`, which is not changed; `key` defaults to a digest of its content."""
    from studio.graph.facts import read_facts

    return read_facts(model, key=key or content_key(model), path=path, format=format, file_bytes=file_bytes)


def external_files(model: ir.Model) -> tuple[Path, ...]:
    """The files beside the model's own that hold its data."""
    return tuple(dict.fromkeys(Path(tensor.path) for tensor in _external(model)))


def _take_inside(proto: onnx.ModelProto, model: ir.Model) -> None:
    """Replace references to data files by the data."""
    outside = {_place(tensor): tensor for tensor in _external(model)}
    if not outside:
        return
    for tensor in tensors_in(proto):
        if tensor.data_location == tensor.EXTERNAL:
            entries = {entry.key: entry.value for entry in tensor.external_data}
            place = (entries["location"], int(entries.get("offset", 0)), tensor.name)
            tensor.raw_data = outside[place].tobytes()
            tensor.ClearField("external_data")
            tensor.ClearField("data_location")


def _place(tensor: ir.ExternalTensor) -> tuple[str, int, str]:
    return str(tensor.location), tensor.offset or 0, str(tensor.name or "")


def _external(model: ir.Model) -> Iterator[ir.ExternalTensor]:
    import onnx_ir as ir

    nodes = list(_nodes(model))
    yield from (tensor for tensor in _initializers(model, nodes) if isinstance(tensor, ir.ExternalTensor))
    for node in nodes:
        for attribute in node.attributes.values() if node.attributes else ():
            if attribute.type == ir.AttributeType.TENSOR and isinstance(attribute.value, ir.ExternalTensor):
                yield attribute.value


def _initializers(model: ir.Model, nodes: Iterable[ir.Node]) -> Iterator[ir.TensorProtocol]:
    inner = (graph for node in nodes for graph in _inside(node))
    for graph in (model.graph, *inner):
        yield from (
            value.const_value for value in graph.initializers.values() if value.const_value is not None
        )


def _nodes(model: ir.Model) -> Iterator[ir.Node]:
    """All nodes of the graph, its functions and subgraphs; `onnx_ir` has it too, at ten times the time."""
    waiting: list[Iterable[ir.Node]] = [model.graph, *model.functions.values()]
    while waiting:
        for node in waiting.pop():
            yield node
            waiting.extend(_inside(node))


def _inside(node: ir.Node) -> Iterable[ir.Graph]:
    return _subgraphs(node) if node.attributes else ()


def _subgraphs(node: ir.Node) -> Iterator[ir.Graph]:
    import onnx_ir as ir

    for attribute in node.attributes.values():
        if attribute.type == ir.AttributeType.GRAPH and not attribute.is_ref():
            yield attribute.as_graph()
        elif attribute.type == ir.AttributeType.GRAPHS and not attribute.is_ref():
            yield from attribute.as_graphs()
