"""What the window remembers between two runs: theme, recent models, sizes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from studio.paths import config_dir

_KEEP = 8


class Preferences(msgspec.Struct, frozen=True):
    """Read from `window.json`; a file that cannot be read is taken as none, for nothing of worth is in it.

    `language` is "" where the system's is used. `said` tells how far the work on each recent path had come.
    """

    theme: str = "system"
    language: str = ""
    recent: tuple[str, ...] = ()
    geometry: str = ""
    toured: bool = False
    said: dict[str, str] = {}

    def with_recent(self, path: str) -> Preferences:
        """These preferences with `path` first among the recent models."""
        rest = tuple(each for each in self.recent if each != path)
        return msgspec.structs.replace(self, recent=(path, *rest)[:_KEEP])

    def saying(self, path: str, text: str) -> Preferences:
        """These preferences, with how far the work at `path` has come."""
        kept = {each: said for each, said in {**self.said, path: text}.items() if each in self.recent}
        return msgspec.structs.replace(self, said=kept)

    def recent_there(self) -> tuple[Path, ...]:
        """The recent models that still exist."""
        return tuple(path for each in self.recent if (path := Path(each)).exists())


def read() -> Preferences:
    """The user's preferences."""
    try:
        return msgspec.json.decode(_path().read_bytes(), type=Preferences)
    except (OSError, msgspec.MsgspecError):
        return Preferences()


def write(preferences: Preferences) -> None:
    """Keep them; the file is replaced whole."""
    fresh = _path().with_suffix(f".{os.getpid()}.tmp")
    fresh.write_bytes(msgspec.json.encode(preferences))
    fresh.replace(_path())


def update(change: Callable[[Preferences], Preferences]) -> Preferences:
    """Keep what `change` makes of the preferences as they are on disk: another window may have written."""
    fresh = change(read())
    write(fresh)
    return fresh


def _path() -> Path:
    return config_dir() / "window.json"
