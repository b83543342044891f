"""Unique node names and name scopes, read from what exporters leave in a file."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir as ir

TORCH_SCOPES = "pkg.torch.onnx.name_scopes"


def unique_names(nodes: Iterable[ir.Node]) -> tuple[str, ...]:
    """One name per node, in graph order: the file's own where it is the first to use it.

    A node without a name is called after its op and index (`Conv_3`); a later node of the same
    name gets `_2`, `_3`, …. The same graph always gives the same names.
    """
    taken: set[str] = set()
    return tuple(_free(node.name or f"{node.op_type}_{index}", taken) for index, node in enumerate(nodes))


def nodes_by_name(model: ir.Model) -> dict[str, ir.Node]:
    """The main graph's nodes under the names that the facts give them."""
    nodes = list(model.graph)
    return dict(zip(unique_names(nodes), nodes, strict=True))


def scope_of(node: ir.Node) -> tuple[str, ...]:
    """The module path that a node belongs to, outermost first; () where the file names none.

    Understands torch.onnx's `pkg.torch.onnx.name_scopes` metadata (`['', 'layer1', 'layer1.0', …]`),
    slash names (`/layer1/layer1.0/conv1/Conv`, TensorFlow's too) and dotted names (`layer1.0.conv1`).
    """
    listed = _torch_scopes(node.metadata_props.get(TORCH_SCOPES, ""))
    if listed is not None:
        return listed
    name = node.name or ""
    if "/" in name:
        return _relative(part for part in name.split("/")[:-1] if part)
    return tuple(part for part in name.split(".")[:-1] if part)


def _torch_scopes(text: str) -> tuple[str, ...] | None:
    if not text.startswith("[") or len(text) > 10_000:
        return None
    try:
        parts = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return None
    return _relative(part for part in parts[:-1] if part)


def _relative(parts: Iterable[str]) -> tuple[str, ...]:
    """`layer1`, `layer1.0`, `layer1.0.conv1` → `layer1`, `0`, `conv1`."""
    out: list[str] = []
    outer = ""
    for part in parts:
        inner = part.startswith(f"{outer}.") and bool(outer)
        out.append(part[len(outer) + 1 :] if inner else part)
        outer = part
    return tuple(out)


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate)
    return candidate
