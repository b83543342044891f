"""Write the graph as a file named by its digest, whole or not at all, and weigh what each layer takes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from studio.artifact import LayerOutcome
from studio.compress.work import Work, is_constant
from studio.errors import BuildError
from studio.graph.constants import tensor_of

if TYPE_CHECKING:
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


def outcomes(work: Work) -> tuple[LayerOutcome, ...]:
    """What each layer became; bytes of constants and nodes that only serve to make its weight."""
    seen: set[int] = set()
    found = []
    for fact, row, node in work.layers():
        size = sum(
            _cone_bytes(value, seen) for value in node.inputs[1:] if value is not None and is_constant(value)
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


def _cone_bytes(value: ir.Value, seen: set[int]) -> int:
    """Bytes in the file of everything constant behind `value`; what was counted before counts no more."""
    import onnx_ir as ir

    waiting, total = [value], 0
    while waiting:
        each = waiting.pop()
        tensor, maker = tensor_of(each), each.producer()
        if id(each) in seen or (tensor is None and maker is None):
            continue
        seen.add(id(each))
        if tensor is not None:
            total += _framed(ir.serde.serialize_tensor(tensor).ByteSize())
        elif maker is not None:
            total += _framed(ir.serde.serialize_node(maker).ByteSize())
            waiting.extend(source for source in maker.inputs if source is not None)
    return total


def _framed(size: int) -> int:
    """A message inside a message: its bytes, its length as a varint and one byte of tag."""
    return size + 1 + max(1, -(-size.bit_length() // 7))
