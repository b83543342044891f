"""One line of progress on a terminal; silent where stderr is a file or a pipe."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

_BAR = 24
_SECONDS_BETWEEN = 0.08


class ProgressLine:
    """Draws over itself; `clear` before anything else is written to the same stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._drawn = 0.0
        self._shown = False

    def show(self, fraction: float, text: str) -> None:
        """Draw `fraction` (0 to 1) and `text`, at most a dozen times a second."""
        now = time.monotonic()
        if not self._live or (now - self._drawn < _SECONDS_BETWEEN and fraction < 1):
            return
        self._drawn, self._shown = now, True
        full = round(fraction * _BAR)
        line = f"{'━' * full}{'╌' * (_BAR - full)} {fraction:4.0%}  {text}"
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r\x1b[2K{line[:width]}")
        self._stream.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._shown = False
