"""Write the graph as a file named by its digest, whole or not at all, and weigh what each layer takes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from studio.artifact import LayerOutcome
from studio.compress.work import Work
from studio.errors import BuildError
from studio.graph.constants import is_constant

if TYPE_CHECKING:
    import onnx
    import onnx_ir as ir


def write(data: bytes, out_dir: Path) -> tuple[Path, str]:
    """Store `data` as out_dir/<sha256>.onnx; returns the path and the digest.

    A file of that name already holds these bytes and is left alone. Raises `BuildError` where the
    folder cannot be written.
    """
    digest = hashlib.sha256(data).hexdigest()
    path = out_dir / f"{digest}.onnx"
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.stat().st_size != len(data):
            _replace(path, data)
    except OSError as error:
        raise BuildError(
            str(path), f"cannot be written ({error.strerror})", "Free some space or choose another folder."
        ) from error
    return path, digest


def outcomes(work: Work, proto: onnx.ModelProto) -> tuple[LayerOutcome, ...]:
    """What each layer became; its bytes are those, in `proto`, of all that only serves to make its weight."""
    sizes, seen = _sizes(proto.graph), set[str]()
    found = []
    for fact, row, node in work.layers():
        size = sum(
            _cone_bytes(value, sizes, seen)
            for value in node.inputs[1:]
            if value is not None and is_constant(value)
        )
        found.append(
            LayerOutcome(
                layer=fact.name,
                bits=row.bits,
                activations=row.activations,
                sparsity=work.sparsity.get(fact.name, 0.0),
                structure=row.structure,
                storage=work.storage.get(fact.name, "dense"),
                bytes=size,
                refused=(*row.refused, *work.refused.get(fact.name, ())),
            )
        )
    return tuple(found)


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".building-", suffix=".onnx")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)  # not forced to the disk: this is a cache, and an export proves the digest
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _sizes(graph: onnx.GraphProto) -> dict[str, int]:
    """Bytes in the file of every initializer and node, by its name or first output's."""
    found = {tensor.name: _framed(tensor.ByteSize()) for tensor in graph.initializer}
    found.update((node.output[0], _framed(node.ByteSize())) for node in graph.node if node.output)
    return found


def _cone_bytes(value: ir.Value, sizes: Mapping[str, int], seen: set[str]) -> int:
    """Bytes of everything constant behind `value`; what was counted before counts no more."""
    waiting, total = [value], 0
    while waiting:
        each = waiting.pop()
        maker = each.producer()
        name = str(each.name if maker is None else maker.outputs[0].name)
        if name in seen:
            continue
        seen.add(name)
        total += sizes.get(name, 0)
        if maker is not None:
            waiting.extend(source for source in maker.inputs if source is not None)
    return total


def _framed(size: int) -> int:
    """A message inside a message: its bytes, its length as a varint and one byte of tag."""
    return size + 1 + max(1, -(-size.bit_length() // 7))
