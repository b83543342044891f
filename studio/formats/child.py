"""The inside of the guarded child process: limits first, then the task, then one JSON answer."""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import signal
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
    room = importlib.import_module(module)
    task = getattr(room, function)
    getattr(room, "prepare", _nothing)()
    if request["limits"]["sealed"]:
        from studio.formats.seal import seal

        seal(request["limits"]["folder"])
    clock = _Clock(answer, request["limits"]["seconds"] if request["limits"]["busy"] else 0.0)
    try:
        answer({"result": task(request["argument"], clock.more)})
    except StudioError as error:
        answer({"error": [error.thing, error.cause, error.fix]})
    except MemoryError:
        answer({"error": _too_big(request)})
    sys.stdout.flush()
    os._exit(0)


def _nothing() -> None:
    """What a task prepares that has nothing to prepare."""


class _Clock:
    """Tells the parent when time begins to count, and ends this process when its own share is used.

    Processor time is fair on a busy computer, where the clock on the wall is not.
    """

    def __init__(self, answer: Callable[[dict[str, Any]], None], busy: float) -> None:
        self._answer, self._busy = answer, busy
        signal.setitimer(signal.ITIMER_PROF, busy)
        answer({"ready": True})

    def more(self, seconds: float) -> None:
        """Both limits are extended by `seconds`."""
        self._answer({"more": seconds})
        if self._busy:
            left, _ = signal.getitimer(signal.ITIMER_PROF)
            signal.setitimer(signal.ITIMER_PROF, left + seconds)


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
    if hard != resource.RLIM_INFINITY:
        memory = min(memory, hard)  # the process above is bounded already
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory if final else hard))
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_DEATH_SIGNAL, _KILL, 0, 0, 0)
    if final:
        resource.setrlimit(resource.RLIMIT_FSIZE, (memory, memory))


def _too_big(request: dict[str, Any]) -> list[str]:
    limit = request["limits"]["memory"] / 2**20
    return [
        str(request["argument"].get("path", "model")),
        f"opening it needs more than the {limit:,.0f} MB of memory that its size explains",
        "It may be made to fill the memory; check where the file comes from.",
    ]
