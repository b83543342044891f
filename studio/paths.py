"""Where shipped resources and the user's own files live."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path

import platformdirs

_CHECKOUT = Path(__file__).resolve().parent.parent / "resources"


@cache
def resources() -> Path:
    """The folder of shipped resources: the checkout's, or the installed copy."""
    if _CHECKOUT.is_dir():
        return _CHECKOUT
    return Path(str(files("studio_resources")))


def resource(*parts: str) -> Path:
    """Path of one shipped resource; it need not exist."""
    return resources().joinpath(*parts)


def cache_dir() -> Path:
    """Per-user cache (built artifacts, ranges); safe to delete. `TRIMTAB_HOME` moves it."""
    return _made(_home("cache") or Path(platformdirs.user_cache_dir("trimtab")))


def config_dir() -> Path:
    """Per-user settings (boards, window state). `TRIMTAB_HOME` moves it."""
    return _made(_home("config") or Path(platformdirs.user_config_dir("trimtab")))


def data_dir() -> Path:
    """Per-user data (recent projects, releases of this computer). `TRIMTAB_HOME` moves it."""
    return _made(_home("data") or Path(platformdirs.user_data_dir("trimtab")))


def _home(kind: str) -> Path | None:
    root = os.environ.get("TRIMTAB_HOME")
    return Path(root) / kind if root else None


def _made(path: Path) -> Path:
    """The folder, made where that can be done; who writes into one that is not there says so by name."""
    with suppress(OSError):
        path.mkdir(parents=True, exist_ok=True)
    return path
