"""Which running program may write into a project: two at once would undo each other's work."""

from __future__ import annotations

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import IO

_LOCK = ".lock"


class Claim:
    """Holds at most one project folder. The system lets go of it with the process, by kill -9 too."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._file: IO[bytes] | None = None

    def take(self, folder: Path | None) -> None:
        """Hold `folder` from now on (None: nothing) in place of what was held, where nobody else has it."""
        if folder is not None and self._file is not None and self._same(folder):
            return
        self.free()
        if folder is not None and (file := _locked(folder)) is not None:
            self._folder, self._file = folder.resolve(), file

    def free(self) -> None:
        """Hold nothing."""
        if self._file is not None:
            self._file.close()
        self._folder = self._file = None

    def elsewhere(self, folder: Path) -> bool:
        """Whether another program holds `folder`."""
        if self._same(folder) or not (folder / _LOCK).is_file():
            return False
        file = _locked(folder)
        if file is not None:
            file.close()
        return file is None

    def _same(self, folder: Path) -> bool:
        return self._folder == folder.resolve()


def _locked(folder: Path) -> IO[bytes] | None:
    """The lock file, ours until it is closed; None where another has it, or it cannot be made."""
    file = None
    with suppress(OSError):
        file = (folder / _LOCK).open("ab")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file
    if file is not None:
        file.close()
    return None
