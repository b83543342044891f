"""Keeping what was made: values by content key, and files in a folder that must not grow for ever."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar

T = TypeVar("T")
_NEWEST = 16


class Kept(Generic[T]):
    """The `most` values used last, made at most once per key. Safe to share between threads."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, RLock()
        self._values: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of `key`, made where it is not kept."""
        with self._lock:
            if key not in self._values:
                self.put(key, make())
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: Hashable, value: T) -> None:
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)

    def find(self, key: Hashable) -> T | None:
        with self._lock:
            return self._values.get(key)

    def drop(self, key: Hashable) -> None:
        with self._lock:
            self._values.pop(key, None)


def stamp(path: Path) -> tuple[int, int]:
    """Changes when the file does; (0, 0) where it is gone (opening it says so in its own words)."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


def make_room(folder: Path, most: int) -> None:
    """Delete the oldest files in `folder` until it holds at most `most` bytes; the newest 16 always stay.

    Whoever needs a deleted file makes it again: its name is the digest of its content.
    """
    found = sorted(((stamp(path), path) for path in folder.iterdir() if path.is_file()), reverse=True)
    total = 0
    for index, ((_, size), path) in enumerate(found):
        total += size
        if total > most and index >= _NEWEST:
            path.unlink(missing_ok=True)
