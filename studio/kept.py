"""Keeping what was made: values by content key, and files in a folder that must not grow for ever."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
_NEWEST = 16


class Kept(Generic[T]):
    """The `most` values used last. Safe to share between threads.

    Values are made outside the lock: background work that stands back in the middle of making one must not
    hold up the work it stands back for. Two threads that miss the same value both make it; the first stays.
    """

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, RLock()
        self._values: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of `key`, made where it is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = make()
        with self._lock:
            value = self._values.get(key, made)
            self.put(key, value)
            return value

    def put(self, key: Hashable, value: T) -> None:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)

    def find(self, key: Hashable) -> T | None:
        with self._lock:
            return self._values.get(key)

    def drop(self, key: Hashable) -> None:
        with self._lock:
            self._values.pop(key, None)


class KeptBytes(Generic[T]):
    """The values used last, as many as together fit into `most` bytes. Safe to share between threads."""

    def __init__(self, most: int) -> None:
        self._most, self._total, self._lock = most, 0, RLock()
        self._values: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    @property
    def used(self) -> int:
        """Bytes that are held."""
        return self._total

    def find(self, key: Hashable) -> T | None:
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: T, size: int) -> None:
        """Keep `value`, which takes `size` bytes; one that alone is too large is not kept."""
        with self._lock:
            self._total -= self._values.pop(key, (value, 0))[1]
            if size > self._most:
                return
            self._values[key] = value, size
            self._total += size
            while self._total > self._most:
                self._total -= self._values.popitem(last=False)[1][1]


class KeptRows(Generic[T]):
    """Values of `kind` in a file by their `key`, a line of JSON each, written out at once: a run that broke
    off, by kill -9 too, goes on where it was. A line cut short is left out.
    """

    def __init__(self, path: Path, kind: type[T], key: Callable[[T], Hashable]) -> None:
        self.path, self._key = path, key
        self._rows = {key(row): row for row in _read(path, kind)}

    def find(self, key: Hashable) -> T | None:
        return self._rows.get(key)

    def add(self, row: T) -> None:
        """Keep a row, in place of an older one of the same key; raises `OSError`."""
        self._rows[self._key(row)] = row
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(b"\n" + msgspec.json.encode(row))

    @property
    def last(self) -> T | None:
        """The row that joined last."""
        return next(reversed(self._rows.values()), None)

    def forget(self) -> None:
        """Let go of every row, on disk too."""
        self._rows.clear()
        self.path.unlink(missing_ok=True)

    def __iter__(self) -> Iterator[T]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)


def _read(path: Path, kind: type[T]) -> list[T]:
    rows = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    for line in lines:
        with suppress(msgspec.MsgspecError):
            rows.append(msgspec.json.decode(line, type=kind))
    return rows


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
