"""Doing dangerous work in a child process that may die: bounded memory, bounded time, one clear error.

A file that nobody vouches for is first opened in here. Whatever it does to the process (endless
loops, a memory bomb, a crash in native code) ends in one `ModelError`, and the caller lives on.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from studio.control import Control
from studio.errors import ModelError

CHILD_FLAG = "--guarded-child"
_START_SECONDS = 60.0
_POLL_SECONDS = 0.1
_PATIENCE = 20  # times its share of a processor: so busy may the computer be
_MAX_ANSWER = 1 << 22


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use.

    `memory` in bytes of private data; `seconds` from the moment that the child is ready: by the
    clock, or with `busy` of processor time, which other work on the computer does not use up (the
    clock then only ends what waits for ever); `folder`, the only place where it may write (None:
    nowhere); `sealed` for foreign code: no network, no programs, none of the user's files; `longer`
    says how a user who trusts the file gives it more time.
    """

    memory: int
    seconds: float
    folder: str | None = None
    sealed: bool = False
    busy: bool = False
    longer: str = ""


def run_guarded(task: str, argument: Mapping[str, Any], thing: str, limits: Limits, control: Control) -> Any:
    """Run `task` (`module:function` of this program) in a child; its JSON answer.

    The function takes `argument` and a callable that extends the time by seconds; what its module
    has as `prepare` is called before time counts. Raises
    `ModelError` about `thing` where the child reports one, dies, or overstays; `Cancelled` at once.
    """
    request = json.dumps(
        {"task": task, "argument": dict(argument), "limits": asdict(limits), "path": sys.path}
    )
    child = subprocess.Popen(
        _command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )
    try:
        _send(child, request)
        answers = _Answers(child, limits, control)
        answer = answers.wait()
    finally:
        _end(child)
    if answer is None:
        raise _death(child, thing, limits, answers.allowed)
    if "error" in answer:
        _, cause, fix = answer["error"]
        raise ModelError(thing, cause, fix)
    return answer["result"]


class _Answers:
    """Reads the child's lines until it answers, dies or overstays."""

    def __init__(self, child: subprocess.Popen[bytes], limits: Limits, control: Control) -> None:
        self._child, self._control = child, control
        self.allowed, self._sealed = limits.seconds, limits.sealed
        self._stretch = _PATIENCE if limits.busy else 1
        self._deadline = time.monotonic() + _START_SECONDS
        self._text = b""

    def wait(self) -> dict[str, Any] | None:
        """The final answer; None where none came."""
        while time.monotonic() < self._deadline and len(self._text) < _MAX_ANSWER:
            self._control.check()
            if not self._readable():
                continue
            chunk = os.read(self._pipe(), 1 << 16)
            if not chunk:
                return None
            self._text += chunk
            answer = self._lines()
            if answer is not None:
                return answer
        return None

    def _lines(self) -> dict[str, Any] | None:
        *lines, self._text = self._text.split(b"\n")
        for line in lines:
            message = _decoded(line)
            if "ready" in message:
                self._deadline = time.monotonic() + self.allowed * self._stretch
            elif "more" in message and not self._sealed:
                self._extend(min(float(message["more"]), 600.0))
            elif "result" in message or "error" in message:
                return message
        return None

    def _extend(self, seconds: float) -> None:
        self.allowed += seconds
        self._deadline += seconds * self._stretch

    def _readable(self) -> bool:
        return bool(select.select([self._pipe()], [], [], _POLL_SECONDS)[0])

    def _pipe(self) -> int:
        assert self._child.stdout is not None
        return self._child.stdout.fileno()


def _decoded(line: bytes) -> dict[str, Any]:
    """A message of the child; foreign code in it may write anything, which is then no message."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(message, dict):
        return {}
    error = message.get("error")
    sound = "error" not in message or (
        isinstance(error, list) and len(error) == 3 and all(isinstance(text, str) for text in error)
    )
    timed = "more" not in message or isinstance(message["more"], int | float)
    return message if sound and timed else {}


def _command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, CHILD_FLAG]
    code = (
        "import sys,json;line=sys.stdin.readline();sys.path[:]=json.loads(line)['path'];"
        "from studio.formats.child import main;main(line)"
    )
    return [sys.executable, "-I", "-c", code]


def _environment() -> dict[str, str]:
    """No more of the user's environment than a library needs to start."""
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }


def _send(child: subprocess.Popen[bytes], request: str) -> None:
    assert child.stdin is not None
    try:
        child.stdin.write(request.encode() + b"\n")
        child.stdin.close()
    except BrokenPipeError:
        return  # it died at once; what is read next says so


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started, and leave no zombie."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        child.kill()
    child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _death(child: subprocess.Popen[bytes], thing: str, limits: Limits, allowed: float) -> ModelError:
    code = child.returncode
    if code in (-signal.SIGKILL, -signal.SIGPROF):
        what = "computed for" if code == -signal.SIGPROF else "took"
        shown = allowed * (_PATIENCE if limits.busy and code == -signal.SIGKILL else 1)
        cause = f"opening it {what} longer than the {shown:.1f} s that its size explains, and was stopped"
        fix = f"It may hold an endless loop; check where the file comes from. {limits.longer}".rstrip()
        return ModelError(thing, cause, fix)
    cause = f"opening it crashed a helper process ({_signal(code)}); this program is unharmed"
    return ModelError(thing, cause, "The file is broken or made to do harm; export or download it again.")


def _signal(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit {code}"
