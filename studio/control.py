"""Progress and the one cancel point, handed down into every long piece of work."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

Progress = Callable[[float, str], None]


class Cancelled(Exception):  # noqa: N818 - not an error: a newer wish replaced this one
    """Raised by `Control.step` once cancellation was asked for."""


class Control:
    """Carries progress out of and cancellation into a piece of work.

    `step` is safe to call from any thread; the callback is called on the thread that steps.
    """

    def __init__(self, progress: Progress | None = None, cancel: Event | None = None) -> None:
        self._progress = progress
        self._cancel = cancel or Event()

    def step(self, fraction: float, text: str = "") -> None:
        """Report `fraction` (0 to 1) done; raise `Cancelled` if asked to stop."""
        self.check()
        if self._progress is not None:
            self._progress(min(max(fraction, 0.0), 1.0), text)

    def check(self) -> None:
        """Raise `Cancelled` if asked to stop, without reporting anything."""
        if self._cancel.is_set():
            raise Cancelled

    def cancel(self) -> None:
        """Ask the work to stop at its next step."""
        self._cancel.set()

    @property
    def cancelled(self) -> bool:
        return self._cancel.is_set()

    def part(self, low: float, high: float) -> Control:
        """A control for a part of the work: its 0..1 is shown as `low`..`high` of this one."""

        def scaled(fraction: float, text: str) -> None:
            if self._progress is not None:
                self._progress(low + (high - low) * fraction, text)

        return Control(scaled, self._cancel)
