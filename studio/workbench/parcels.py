"""Files by content, for workers that do not see the paths of this computer."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file with those beside it that it needs, or a folder: `main` is its name inside `packed`, a tar.

    `key` is the content's own, which names the folder that it is unpacked to.
    """

    key: str
    main: str
    packed: bytes


def pack(path: Path, key: str, beside: Sequence[Path] = ()) -> Parcel:
    """`path` with the files `beside`, which lie in its folder or below; raises OSError."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for each in (path, *beside):
            tar.add(each, arcname=each.relative_to(path.parent).as_posix())
    return Parcel(key, path.name, buffer.getvalue())


def unpack(parcel: Parcel, folder: Path) -> Path:
    """The main file, in a folder of its own below `folder`; what is there already stays. Raises OSError."""
    home = folder / parcel.key
    if not home.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            made = Path(fresh, "made")
            with tarfile.open(fileobj=io.BytesIO(parcel.packed)) as tar:
                tar.extractall(made, filter="data")
            _into_place(made, home)
    return home / parcel.main


def _into_place(made: Path, home: Path) -> None:
    """By one rename; another worker of this computer may have been faster, with the same content."""
    try:
        made.rename(home)
    except OSError:
        if not home.exists():
            raise
