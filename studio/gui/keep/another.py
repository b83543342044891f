"""A second window is a second program: neither takes the other down, and what both keep is safe to share."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QProcess


def window(path: str = "") -> int:
    """Start another window, with `path` opened in it; returns its process id, 0 where it did not start."""
    ran = () if getattr(sys, "frozen", False) else ("-m", "studio")
    given = (str(Path(path).absolute()),) if path else ()
    # `-m` looks in the working folder first, where a user's own `studio` may lie.
    started, process = QProcess.startDetached(sys.executable, [*ran, *given], str(Path.home()))
    return int(process) if started else 0
