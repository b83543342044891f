"""What a way to reach a board must offer; everything above speaks to this alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from studio.control import Control

BLOCK = 1 << 18
Line = Callable[[str], None]
Moved = Callable[[int], None]
Take = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Reply:
    """How a command on the board ended. Text is decoded as UTF-8, bad bytes replaced."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Piece:
    """`length` bytes of a local file from `offset`."""

    path: Path
    offset: int
    length: int


class Link(Protocol):
    """One open way to one board. Every call blocks, works from any thread and raises `BoardError` when the
    board cannot be reached; a command's own failure is its `Reply.status`.
    """

    def run(self, command: str, timeout: float = 60.0) -> Reply:
        """Run a short `sh` command without input; `timeout` in seconds."""
        ...

    def feed(self, command: str, data: bytes | Piece, control: Control, moved: Moved | None = None) -> Reply:
        """Stream bytes into a command's standard input. `moved` is told how many bytes have gone so far."""
        ...

    def fetch(self, command: str, take: Take, control: Control, moved: Moved | None = None) -> Reply:
        """Hand a command's standard output to `take` as it comes, on any thread; `Reply.out` stays empty.

        `moved` is told how many bytes have come so far, on the caller's thread.
        """
        ...

    def follow(self, command: str, control: Control, line: Line | None = None) -> Reply:
        """Run a long command; `line` is handed each line of its standard error as it comes."""
        ...

    def close(self) -> None:
        """Let go; safe to call twice."""
        ...

    @property
    def alive(self) -> bool:
        """False once the connection is known to be gone."""
        ...
