"""What decides a tensor's values: a digest of everything that it is computed from, whatever it is called."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from studio.compress.pruning.walk import uses

if TYPE_CHECKING:
    import onnx_ir as ir


def stamps(model: ir.Model) -> dict[str, str]:
    """By tensor name a digest of the ops and constants that lead to it, and of the inputs' names.

    Equal stamps in two models: equal values for equal inputs, up to how a runtime orders its sums.
    """
    found: dict[ir.Value, str] = {value: f"input:{value.name}" for value in model.graph.inputs}
    for value in model.graph.initializers.values():
        found[value] = _of_constant(value)
    for node in model.graph:
        digest = _of_node(node, found)
        found.update((value, f"{digest}:{index}") for index, value in enumerate(node.outputs))
    return {str(value.name): stamp for value, stamp in found.items()}


def _of_constant(value: ir.Value) -> str:
    tensor = value.const_value
    if tensor is None:
        return f"unknown:{value.name}"
    digest = hashlib.sha256(f"{tensor.dtype}:{tuple(tensor.shape)}".encode())
    text = tensor.dtype.name == "STRING"
    digest.update(repr(tensor.numpy().tolist()).encode() if text else tensor.tobytes())
    return digest.hexdigest()


def _of_node(node: ir.Node, known: dict[ir.Value, str]) -> str:
    from onnx_ir import serde

    proto = serde.serialize_node(node)
    taken = [bool(name) for name in proto.input]
    for name in ("name", "input", "output", "metadata_props", "doc_string"):
        proto.ClearField(name)
    digest = hashlib.sha256(proto.SerializeToString(deterministic=True) + repr(taken).encode())
    for value in uses(node):
        digest.update(known.get(value, f"inner:{value.name}").encode())
    return digest.hexdigest()
