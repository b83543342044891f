"""What a constant is, told without reading it again: a digest noted on the value, and kept by its clones."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from studio.compress.work import Array, array_of

if TYPE_CHECKING:
    import onnx_ir as ir

_NOTE = "digest"


def digest_of(value: ir.Value | None) -> str:
    """Equal digests: equal type, shape and elements. "" where the value is no constant.

    Equal constants that came about in different ways may have different digests.
    """
    if value is None:
        return ""
    found = value.meta.get(_NOTE)
    if found is None:
        array = array_of(value)
        found = "" if array is None else _of_array(array)
        note(value, found)
    return str(found)


def note(value: ir.Value, digest: str) -> None:
    """Say what the constant is, where that is known from how it was made."""
    value.meta[_NOTE] = digest


def derived(*parts: str | bytes) -> str:
    """The digest of what follows from these alone."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _of_array(array: Array) -> str:
    return derived(f"{array.dtype}{array.shape}", array.tobytes())
