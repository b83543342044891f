"""The inside of the guarded child process: limits first, then the task, then one JSON answer."""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

from studio.errors import StudioError

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_KILL = 9


def main(line: str | None = None) -> None:
    """Run one request, read from `line` or the first line of stdin."""
    request = json.loads(line or sys.stdin.readline())
    answer = _answering()
    _limit(request["limits"]["memory"], final=request["limits"]["sealed"])
    module, function = request["task"].split(":")
    task = getattr(importlib.import_module(module), function)
    if request["limits"]["sealed"]:
        from studio.formats.seal import seal

        seal(request["limits"]["folder"])
    answer({"ready": True})
    try:
        answer({"result": task(request["argument"], lambda seconds: answer({"more": seconds}))})
    except StudioError as error:
        answer({"error": [error.thing, error.cause, error.fix]})
    except MemoryError:
        answer({"error": _too_big(request)})
    sys.stdout.flush()
    os._exit(0)


def _answering() -> Callable[[dict[str, Any]], None]:
    """A way to answer on what was stdout; stdout itself goes nowhere, libraries print to it."""
    pipe = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)

    def answer(message: dict[str, Any]) -> None:
        text = memoryview(json.dumps(message).encode() + b"\n")
        while text:
            text = text[os.write(pipe, text) :]

    return answer


def _limit(memory: int, *, final: bool) -> None:
    """Bound private memory; `final` where foreign code must not be able to raise the bound."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory if final else hard))
    if final:
        resource.setrlimit(resource.RLIMIT_FSIZE, (memory, memory))
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, _KILL, 0, 0, 0)


def _too_big(request: dict[str, Any]) -> list[str]:
    limit = request["limits"]["memory"] / 2**20
    return [
        str(request["argument"].get("path", "model")),
        f"opening it needs more than the {limit:,.0f} MB of memory that its size explains",
        "It may be made to fill the memory; check where the file comes from.",
    ]
