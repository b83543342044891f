"""What the user lets the engine take: memory for live figures, and how tight is tight enough."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from studio.errors import ProjectError
from studio.paths import config_dir

CUT_MEMORY = 512 << 20


class Tuning(msgspec.Struct, frozen=True):
    """Read from `engine.json` by window and command line alike.

    `cut_memory` is in bytes: activations kept ahead of a change (0: always run the whole). `tight` > 0, in
    points, ends a measurement once the paired interval reaches no further to either side. `threads` work
    inside one op (0: all cores but one).
    """

    cut_memory: int = CUT_MEMORY
    tight: float = 0.0
    threads: int = 0


def read() -> Tuning:
    """The user's settings; a file that cannot be read is taken as none, for nothing of worth is in it."""
    try:
        found = msgspec.json.decode(_path().read_bytes(), type=Tuning)
    except (OSError, msgspec.MsgspecError):
        return Tuning()
    return found


def write(tuning: Tuning) -> None:
    """Keep them; the file is replaced whole. Raises `ProjectError` where it cannot be written."""
    fresh = _path().with_suffix(f".{os.getpid()}.tmp")
    try:
        fresh.write_bytes(msgspec.json.encode(tuning))
        fresh.replace(_path())
    except OSError as error:
        fix = "Make room there, or set TRIMTAB_HOME to a folder that can be written."
        raise ProjectError(str(_path()), f"it cannot be written ({error.strerror})", fix) from error


def _path() -> Path:
    return config_dir() / "engine.json"
