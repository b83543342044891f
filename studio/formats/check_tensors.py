"""Checks on stored tensors: what they promise must be what the file, or its data files, really hold."""

from __future__ import annotations

import stat
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from studio.formats.refuse import fail, shown
from studio.graph.protos import tensors_in

if TYPE_CHECKING:
    import onnx

_KEYS = frozenset({"location", "offset", "length", "checksum", "basepath"})
_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 8: 0, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64,
    15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2,
}  # fmt: skip
_STRING = 8
_MAX_NAME = 16_384
_FIELDS = {1: "float_data", 7: "int64_data", 11: "double_data", 12: "uint64_data", 13: "uint64_data"}
_PAIRED = {14: "float_data", 15: "double_data"}


def check_tensors(proto: onnx.ModelProto, path: Path) -> tuple[Path, ...]:
    """Check every stored tensor; the data files referred to, without duplicates."""
    folder = path.resolve().parent
    files: dict[str, tuple[Path, int]] = {}
    for tensor in tensors_in(proto):
        size = _declared(tensor, path)
        if tensor.data_location == tensor.EXTERNAL:
            _check_external(tensor, size, folder, files, path)
        else:
            _check_inline(tensor, size, path)
    return tuple(file for file, _ in files.values())


def _declared(tensor: onnx.TensorProto, path: Path) -> int:
    """Bytes that type and dims promise (packed for 4 and 2 bits; 0 for strings)."""
    if len(tensor.name) > _MAX_NAME:
        fail(path, f"a tensor's name has {len(tensor.name):,} characters")
    if tensor.data_type not in _BITS:
        fail(path, f"tensor {shown(tensor.name)} has the unknown type {tensor.data_type}")
    if any(dim < 0 for dim in tensor.dims) or len(tensor.dims) > 64:
        fail(path, f"tensor {shown(tensor.name)} has the impossible shape {list(tensor.dims)[:8]}")
    if tensor.HasField("segment"):
        fail(path, f"tensor {shown(tensor.name)} is stored in segments, which ONNX no longer allows")
    count: int = prod(tensor.dims)
    return (count * _BITS[tensor.data_type] + 7) // 8


def _check_inline(tensor: onnx.TensorProto, size: int, path: Path) -> None:
    if tensor.data_type == _STRING:
        promised, found = prod(tensor.dims), len(tensor.string_data)
        unit = "strings"
    elif tensor.raw_data or not _typed(tensor):
        promised, found, unit = size, len(tensor.raw_data), "bytes"
    else:
        promised, found, unit = _entries(tensor), _typed(tensor), "numbers"
    if promised != found:
        cause = f"tensor {shown(tensor.name)} promises {promised:,} {unit} and holds {found:,}"
        fail(path, cause)


def _typed(tensor: onnx.TensorProto) -> int:
    """Entries in the typed field that belongs to the tensor's type."""
    field = _FIELDS.get(tensor.data_type) or _PAIRED.get(tensor.data_type, "int32_data")
    return len(getattr(tensor, field))


def _entries(tensor: onnx.TensorProto) -> int:
    count: int = prod(tensor.dims)
    if tensor.data_type in _PAIRED:
        return 2 * count
    bits = _BITS[tensor.data_type]
    return -(-count * bits // 8) if bits < 8 else count


def _check_external(
    tensor: onnx.TensorProto, size: int, folder: Path, files: dict[str, tuple[Path, int]], path: Path
) -> None:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if tensor.data_type == _STRING:
        fail(path, f"tensor {shown(tensor.name)} keeps strings in a data file, which ONNX does not allow")
    if unknown := set(entries) - _KEYS:
        fail(path, f"tensor {shown(tensor.name)} has the unknown external-data key {shown(min(unknown))}")
    if location not in files:
        files[location] = _data_file(location, folder, path)
    offset = _number(entries.get("offset", "0"), tensor, path)
    length = _number(entries["length"], tensor, path) if entries.get("length") else size
    held = files[location][1]
    if length != size:
        cause = f"tensor {shown(tensor.name)} needs {size:,} bytes and points at {length:,}"
        fail(path, cause)
    if offset + length > held:
        cause = (
            f"tensor {shown(tensor.name)} reaches to byte {offset + length:,} of {shown(location)}, "
            f"which has {held:,}"
        )
        fail(path, cause, "Copy the whole data file beside the model; it may be cut short.")


def _number(text: str, tensor: onnx.TensorProto, path: Path) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        fail(path, f"tensor {shown(tensor.name)} has the impossible offset or length {shown(text)}")
    return int(text)


def _data_file(location: str, folder: Path, path: Path) -> tuple[Path, int]:
    """A data file and its length: a regular file, no link, in the model's folder or below."""
    parts = PurePosixPath(location.replace("\\", "/")).parts
    absolute = PurePosixPath(location).is_absolute() or bool(PureWindowsPath(location).drive)
    if not parts or absolute or ".." in parts or "\0" in location or location.startswith("\\"):
        cause = f"it keeps weights at {shown(location)}, outside its folder"
        fail(path, cause, "Keep the data file beside the model, and refer to it by its name.")
    file = folder
    for part in parts:
        file = file / part
        _check_part(file, location, last=file == folder.joinpath(*parts), path=path)
    return file, file.lstat().st_size


def _check_part(file: Path, location: str, *, last: bool, path: Path) -> None:
    name = shown(location)
    try:
        found = file.lstat()
    except (OSError, ValueError):
        fail(path, f"its data file {name} is missing", "Copy it into the folder of the model.")
    if stat.S_ISLNK(found.st_mode):
        fail(path, f"its data file {name} is a symbolic link", "Put the file itself in its place.")
    if last and not stat.S_ISREG(found.st_mode):
        fail(path, f"its data file {name} is no regular file", "Put the real data file in its place.")
    if last and found.st_nlink > 1:
        fail(path, f"its data file {name} is a hard link to another file", "Put a copy in its place.")
