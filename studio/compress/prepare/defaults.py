"""Attributes that only say what the ONNX specification takes for granted: many exporters write all."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir as ir

_SLIDING = frozenset(("AveragePool", "Conv", "ConvTranspose", "LpPool", "MaxPool"))
# Defaults that depend on the rank stand in the operators' texts, not in their schemas.
_EVERYWHERE = {"strides": 1, "dilations": 1, "pads": 0, "output_padding": 0}


def drop_defaults(model: ir.Model) -> None:
    """Remove attributes of standard ops that mean the same when absent, subgraphs included."""
    opset = model.opset_imports.get("", 0)
    for node in model.graph.all_nodes():
        if node.domain in ("", "ai.onnx"):
            for name in [each.name for each in node.attributes.values() if _is_default(node, each, opset)]:
                node.attributes.pop(name)


def _is_default(node: ir.Node, attribute: ir.Attr, opset: int) -> bool:
    if attribute.is_ref():
        return False
    name, value = attribute.name, attribute.value
    if name in _EVERYWHERE:
        return node.op_type in _SLIDING and set(value) == {_EVERYWHERE[name]}
    known = _defaults(node.op_type, opset)
    return name in known and bool(known[name] == value)


@cache
def _defaults(op: str, opset: int) -> dict[str, object]:
    """Plain default values of `op`'s attributes by name; {} for an op that ONNX does not know."""
    import onnx

    if not onnx.defs.has(op, max_inclusive_version=opset, domain=""):
        return {}
    found: dict[str, object] = {}
    for name, each in onnx.defs.get_schema(op, opset, "").attributes.items():
        if each.default_value.type:
            value = onnx.helper.get_attribute_value(each.default_value)
            found[name] = value.decode() if isinstance(value, bytes) else value
    return found
