"""A model's main graph with a digest of every tensor's content: equal digests, equal values."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

_LARGE = 1 << 12  # bytes that are not worth copying to be hashed at once


@dataclass(frozen=True)
class Wired:
    """`digests` tells each tensor by all that flows into it: ops, attributes, constants, graph inputs.

    Names do not count, so the same part of two files has the same digests. `makers` gives the node
    that makes a tensor, `constants` the tensors that no graph input flows into. All by tensor name.
    """

    model: onnx.ModelProto
    digests: dict[str, bytes]
    makers: dict[str, int]
    constants: frozenset[str]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Graph inputs that are no initializers."""
        stored = {each.name for each in self.model.graph.initializer}
        return tuple(each.name for each in self.model.graph.input if each.name not in stored)

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.model.graph.output)

    def feeders(self, index: int) -> list[str]:
        """The computed tensors and graph inputs that node `index` takes."""
        return [name for name in self.model.graph.node[index].input if name and name not in self.constants]


def wire(model: onnx.ModelProto) -> Wired | None:
    """The wiring of `model`; None where a node has subgraphs or constants lie in other files."""
    graph = model.graph
    if any(_has_body(node) for node in graph.node):
        return None
    if any(tensor.data_location == tensor.EXTERNAL for tensor in graph.initializer):
        return None
    digests = {tensor.name: _of_tensor(tensor) for tensor in graph.initializer}
    constants = set(digests)
    seed = _seed(model)
    for value in graph.input:
        digests.setdefault(value.name, _mixed(seed, b"input", value.SerializeToString(deterministic=True)))
    makers: dict[str, int] = {}
    for index, node in enumerate(graph.node):
        if all(name in constants for name in node.input if name):
            constants.update(node.output)
        base = _of_node(seed, node, digests)
        for place, name in enumerate(node.output):
            digests[name] = _mixed(base, str(place).encode()) if place else base
            makers[name] = index
    return Wired(model, digests, makers, frozenset(constants))


def submodel(
    wired: Wired,
    inputs: Iterable[onnx.ValueInfoProto],
    outputs: Iterable[str],
    known: Mapping[str, NDArray[np.generic]] = MappingProxyType({}),
) -> bytes:
    """The part of the graph between `inputs` and `outputs`, serialized; nodes keep their order.

    Constants that are `known` are stored in it, in place of the nodes that make them.
    """
    import onnx

    given, names = list(inputs), list(outputs)
    nodes = needed(wired, names, {value.name for value in given} | known.keys())
    part = onnx.ModelProto(ir_version=wired.model.ir_version)
    part.opset_import.extend(wired.model.opset_import)
    part.functions.extend(wired.model.functions)
    part.graph.name = wired.model.graph.name or "part"
    part.graph.node.extend(wired.model.graph.node[index] for index in nodes)
    used = {name for node in part.graph.node for name in node.input} | set(names)
    part.graph.initializer.extend(each for each in wired.model.graph.initializer if each.name in used)
    stored = (onnx.numpy_helper.from_array(known[name], name) for name in known if name in used)
    part.graph.initializer.extend(stored)
    part.graph.input.extend(given)
    declared = {value.name: value for value in wired.model.graph.output}
    empty = onnx.helper.make_empty_tensor_value_info
    part.graph.output.extend(declared.get(name) or empty(name) for name in names)
    return bytes(part.SerializeToString())


def needed(wired: Wired, outputs: Iterable[str], given: set[str]) -> list[int]:
    """Indices of the nodes that make `outputs` where `given` need not be made, in graph order."""
    found: set[int] = set()
    waiting = [name for name in outputs if name not in given]
    while waiting:
        index = wired.makers.get(waiting.pop())
        if index is None or index in found:
            continue
        found.add(index)
        waiting.extend(name for name in wired.model.graph.node[index].input if name and name not in given)
    return sorted(found)


def _has_body(node: onnx.NodeProto) -> bool:
    return any(each.HasField("g") or each.graphs for each in node.attribute)


def _seed(model: onnx.ModelProto) -> bytes:
    """What decides every value besides the graph: operator sets and local functions."""
    parts = [*model.opset_import, *model.functions]
    return _mixed(*sorted(each.SerializeToString(deterministic=True) for each in parts))


def _of_tensor(tensor: onnx.TensorProto) -> bytes:
    import onnx

    if tensor.HasField("raw_data"):
        return _mixed(f"{tensor.data_type}:{tuple(tensor.dims)}".encode(), tensor.raw_data)
    nameless = onnx.TensorProto()
    nameless.CopyFrom(tensor)
    nameless.ClearField("name")
    return _mixed(nameless.SerializeToString(deterministic=True))


def _of_node(seed: bytes, node: onnx.NodeProto, digests: dict[str, bytes]) -> bytes:
    attributes = sorted(each.SerializeToString(deterministic=True) for each in node.attribute)
    sources = (digests.get(name, b"") for name in node.input)
    return _mixed(seed, f"{node.domain}:{node.op_type}".encode(), *attributes, b"|", *sources)


def _mixed(*parts: bytes) -> bytes:
    sizes = struct.pack(f"<{len(parts)}Q", *map(len, parts))
    digest = hashlib.sha256(sizes)
    for part in parts if len(parts[-1]) > _LARGE else (b"".join(parts),):
        digest.update(part)
    return digest.digest()
