"""How a file is refused: one `ModelError` that names it, the fault and the next step."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from studio.errors import ModelError

AGAIN = "The file is broken or made to do harm; export or download it again."


def fail(path: Path, cause: str, fix: str = AGAIN) -> NoReturn:
    """Refuse the file at `path`."""
    raise ModelError(str(path), cause, fix)


def shown(text: str) -> str:
    """A name from the file, short enough for a message."""
    return repr(text if len(text) <= 60 else f"{text[:57]}…")
