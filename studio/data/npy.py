"""Arrays out of `.npy` and `.npz` files without unpickling and without trusting a declared size."""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from studio.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_HEADER = 10_000
_LOCAL_HEADER = struct.Struct("<26xHH")
_SAVE_AGAIN = "Save the arrays again with numpy.savez."


@dataclass(frozen=True, slots=True)
class Member:
    """One array of a file as its header declares it; nothing but the header has been read."""

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    fortran: bool
    offset: int | None  # of the first element in the file; None where it is compressed
    entry: str = ""

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def label(self) -> str:
        return f"{self.path} ({self.name})" if self.entry else str(self.path)

    def load(self) -> NDArray[np.generic]:
        """The array: mapped from disk where it is stored plainly, else unpacked into memory."""
        if self.offset is not None:
            order = "F" if self.fortran else "C"
            return np.memmap(self.path, self.dtype, "r", self.offset, self.shape, order)  # type: ignore[call-overload,no-any-return]  # the stub wants a literal order
        return _unpacked(self)


def members(path: Path) -> dict[str, Member]:
    """The arrays of a `.npz` or `.npy` file by name; a `.npy` file holds one, named `x`.

    Raises `DataError` for anything that is no such file, lies about its sizes or holds Python objects.
    """
    try:
        if path.suffix.lower() == ".npy":
            return {"x": _plain(path)}
        with zipfile.ZipFile(path) as archive, path.open("rb") as raw:
            infos = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            found = [_packed(path, archive, info, raw) for info in infos]
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError) as error:
        raise DataError(str(path), f"not a readable numpy file ({_short(error)})", _SAVE_AGAIN) from error
    return {member.name: member for member in found}


def _plain(path: Path) -> Member:
    with path.open("rb") as stream:
        shape, fortran, dtype = _header(stream, str(path))
        offset = stream.tell()
    member = Member(path, path.stem, shape, dtype, fortran, offset)
    _check_size(member, path.stat().st_size - offset)
    return member


def _packed(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, raw: IO[bytes]) -> Member:
    name = info.filename.removesuffix(".npy")
    with archive.open(info) as stream:
        shape, fortran, dtype = _header(stream, f"{path} ({name})")
        header = stream.tell()
    stored = info.compress_type == zipfile.ZIP_STORED
    offset = _data_offset(info, raw) + header if stored else None
    member = Member(path, name, shape, dtype, fortran, offset, info.filename)
    _check_size(member, info.file_size - header)
    if offset is not None and offset + member.nbytes > path.stat().st_size:
        raise DataError(member.label, "the file ends before the array does", _SAVE_AGAIN)
    return member


def _data_offset(info: zipfile.ZipInfo, raw: IO[bytes]) -> int:
    raw.seek(info.header_offset)
    head = raw.read(_LOCAL_HEADER.size)
    if len(head) < _LOCAL_HEADER.size:
        raise ValueError("truncated archive")
    name, extra = _LOCAL_HEADER.unpack(head)
    return int(info.header_offset + _LOCAL_HEADER.size + name + extra)


def _header(stream: IO[bytes], label: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    version = np.lib.format.read_magic(stream)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise DataError(label, "the array has named fields", "Save plain arrays of numbers.")
    shape, fortran, dtype = readers[version](stream, max_header_size=MAX_HEADER)
    if dtype.hasobject or dtype.kind not in "fiub":
        cause = f"the array holds {dtype}, not numbers"
        raise DataError(label, cause, "Save plain arrays of numbers; Python objects are never unpickled.")
    return shape, fortran, dtype


def _check_size(member: Member, available: int) -> None:
    if any(size < 0 for size in member.shape) or member.nbytes > available:
        cause = f"the header promises {member.nbytes:,} bytes, the file holds {max(available, 0):,}"
        raise DataError(member.label, cause, _SAVE_AGAIN)


def _unpacked(member: Member) -> NDArray[np.generic]:
    import psutil

    budget = psutil.virtual_memory().available // 2
    if member.nbytes > budget:
        cause = f"unpacking takes {member.nbytes:,} bytes, {budget:,} can be spared"
        raise DataError(member.label, cause, "Save it with numpy.savez, which is read piece by piece.")
    try:
        with zipfile.ZipFile(member.path) as archive, archive.open(member.entry) as stream:
            array = np.lib.format.read_array(stream, allow_pickle=False, max_header_size=MAX_HEADER)
    except (OSError, EOFError, zipfile.BadZipFile, ValueError, zlib.error) as error:
        raise DataError(member.label, f"damaged ({_short(error)})", _SAVE_AGAIN) from error
    return np.asarray(array)


def _short(error: BaseException) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
