"""How much memory a piece of work adds to this process at its peak."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc(5): resets the peak resident set size


class Peak:
    """Within `with`, watches this process's peak resident memory; `bytes` is the rise over the start.

    Exact on Linux (the kernel keeps the peak; memory reused from earlier work does not count).
    Elsewhere 0: unknown.
    """

    bytes = 0

    def __enter__(self) -> Peak:
        self._start = _resident("VmRSS") if _reset() else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        peak = _resident("VmHWM")
        if self._start is not None and peak is not None:
            self.bytes = max(peak - self._start, 0)


def _reset() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        _CLEAR.write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def _resident(field: str) -> int | None:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith(f"{field}:")), None)
    return int(found.split()[1]) * 1024 if found else None
