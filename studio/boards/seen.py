"""When each board was last seen, as what, and in what state: a hint to choose by while it is away."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from studio.files import locked, write_atomic

if TYPE_CHECKING:
    from studio.boards.facts import BoardFacts

_TELLING = ("asimddp", "i8mm", "avx2", "avx512_vnni", "avx_vnni")


class LastSeen(msgspec.Struct, frozen=True):
    """`when` is local time to the minute; `what` names model and CPU; `state` is that of its releases."""

    when: str
    what: str = ""
    state: str = ""

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.what, self.state, self.when)))


class SeenBook:
    """A small file beside the list of boards. One that cannot be read or written is as good as none."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> dict[str, LastSeen]:
        """By the board's name."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=dict[str, LastSeen])
        except (OSError, msgspec.DecodeError):
            return {}

    def note(self, name: str, what: str = "", state: str = "") -> None:
        """It was seen just now; what is not told stays as it was."""
        now = datetime.now().isoformat(" ", timespec="minutes")
        with suppress(OSError), locked(self.path):
            known = self.all()
            before = known.get(name, LastSeen(""))
            known[name] = LastSeen(now, what or before.what, state or before.state)
            write_atomic(self.path, msgspec.json.encode(known))

    def forget(self, name: str) -> None:
        """The board was removed from the list."""
        with suppress(OSError), locked(self.path):
            known = self.all()
            if known.pop(name, None):
                write_atomic(self.path, msgspec.json.encode(known))


def headline(facts: BoardFacts) -> str:
    """A board in a few words: its model, or its CPU, and what decides about int8."""
    telling = [name for name in facts.features if name in _TELLING]
    parts = (facts.model or facts.cpu, facts.machine, *telling)
    return " ".join(filter(None, parts))
