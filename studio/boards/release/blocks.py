"""Where a model file is cut, so that what a new release shares with an old one need not be sent again.

An ONNX file is a protobuf message: `ModelProto.graph` is field 7, `GraphProto.initializer` field 5
(onnx.proto; wire format: protobuf.dev/programming-guides/encoding). Cut before and after every large
initializer, then every 256 KiB, equal weights are equal blocks wherever they stand, and a name of another
length shifts none of them.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec

from studio.files import write_atomic
from studio.paths import cache_dir

BLOCK = 256 << 10
LARGE = 16 << 10
_GRAPH, _INITIALIZER = 7, 5
_LENGTHS = {1: 8, 5: 4}


class Block(msgspec.Struct, frozen=True, array_like=True):
    """`length` bytes at `offset`; the digest is the first 32 hex digits of their sha256."""

    offset: int
    length: int
    digest: str


@dataclass(frozen=True, slots=True)
class Run:
    """`length` bytes of the new file: at `offset` of what release `source` has, or of the new bytes ("")."""

    source: str
    offset: int
    length: int


def blocks_of(path: Path) -> tuple[Block, ...]:
    """The blocks of a file in order, without gaps; any file can be cut, an ONNX file at its tensors."""
    if path.stat().st_size == 0:
        return ()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return tuple(
            Block(start, end - start, hashlib.sha256(content[start:end]).hexdigest()[:32])
            for start, end in _cut(content)
        )


def remember(release: str, path: Path) -> None:
    """Keep the blocks of a file that is on a board as `release`, whose name tells its content."""
    kept = _kept(release)
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(kept, msgspec.json.encode(blocks_of(path)))


def recalled(release: str) -> tuple[Block, ...]:
    """The blocks of a release that was pushed from here; none where it was not."""
    try:
        return msgspec.json.decode(_kept(release).read_bytes(), type=tuple[Block, ...])
    except (OSError, msgspec.DecodeError):
        return ()


def plan(path: Path, releases: tuple[str, ...]) -> tuple[Run, ...]:
    """How to put the file together from those releases and new bytes; neighbours are joined."""
    known = {block.digest: (name, block) for name in reversed(releases) for block in recalled(name)}
    runs: list[Run] = []
    fresh = 0
    for block in blocks_of(path):
        source, old = known.get(block.digest, ("", None))
        at = old.offset if old else fresh
        fresh += 0 if old else block.length
        last = runs[-1] if runs else None
        if last and last.source == source and last.offset + last.length == at:
            runs[-1] = Run(source, last.offset, last.length + block.length)
        else:
            runs.append(Run(source, at, block.length))
    return tuple(runs)


def fresh_bytes(path: Path, runs: tuple[Run, ...]) -> Iterator[bytes]:
    """The bytes that no release has, in order."""
    at = 0
    with path.open("rb") as file:
        for run in runs:
            if not run.source:
                file.seek(at)
                yield file.read(run.length)
            at += run.length


def _kept(release: str) -> Path:
    return cache_dir() / "pushed" / f"{release}.json"


def _cut(content: mmap.mmap) -> Iterator[tuple[int, int]]:
    edges = sorted({0, len(content), *_edges(content)})
    for start, end in pairwise(edges):
        for at in range(start, end, BLOCK):
            yield at, min(at + BLOCK, end)


def _edges(content: mmap.mmap) -> Iterator[int]:
    for number, start, end in _fields(content, 0, len(content)):
        if number == _GRAPH:
            for inner, first, last in _fields(content, start, end):
                if inner == _INITIALIZER and last - first >= LARGE:
                    # The weights are the message's last bytes; what precedes them is its name and shape.
                    yield from _weights(content, first, last)


def _weights(content: mmap.mmap, start: int, end: int) -> Iterator[int]:
    for _, first, last in _fields(content, start, end):
        if last - first >= LARGE:
            yield from (first, last)


def _fields(content: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(number, start, end) of every length-delimited field; stops where it is no protobuf."""
    while at < end:
        key, at = _varint(content, at, end)
        kind = key & 7
        if kind == 2:
            size, at = _varint(content, at, end)
            if size > end - at:
                return
            yield key >> 3, at, at + size
            at += size
        elif kind == 0:
            _, at = _varint(content, at, end)
        elif kind in _LENGTHS:
            at += _LENGTHS[kind]
        else:
            return


def _varint(content: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 64:
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    return value, at
