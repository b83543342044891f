"""Content keys of data: the same samples have the same key wherever they lie."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from studio.control import Control

CHUNK = 4 << 20
WHOLE = 1 << 30
EDGE = 64 << 10


def of_file(path: Path, how: str, control: Control) -> str:
    """sha256 (hex) of a file's bytes and of `how` they are read."""
    digest = hashlib.sha256(how.encode() + b"\0")
    size = max(path.stat().st_size, 1)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            control.step(stream.tell() / size, f"reading {path.name}")
    return digest.hexdigest()


def of_tree(root: Path, files: Iterable[Path], how: str, control: Control) -> str:
    """sha256 (hex) over relative names, sizes and contents of `files`, in the order given.

    Above 1 GiB in all, only the first and last 64 KiB of each file are read.
    """
    listed = [(path, path.stat().st_size) for path in files]
    whole = sum(size for _, size in listed) <= WHOLE
    digest = hashlib.sha256(how.encode() + b"\0")
    for index, (path, size) in enumerate(listed):
        digest.update(f"{path.relative_to(root).as_posix()}\0{size}\0".encode())
        digest.update(path.read_bytes() if whole else _edges(path, size))
        control.step(index / len(listed), f"reading {root.name}")
    return digest.hexdigest()


def _edges(path: Path, size: int) -> bytes:
    with path.open("rb") as stream:
        head = stream.read(EDGE)
        stream.seek(max(size - EDGE, 0))
        return head + stream.read(EDGE)
