"""A real X screen for the end-to-end tests: Xvfb, and a window manager where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

_TOOLS = ("Xvfb", "xdotool")
_SIZE = "1920x1080x24"


def missing() -> str:
    """Why there can be no screen here; "" where there can."""
    absent = [tool for tool in _TOOLS if shutil.which(tool) is None]
    return f"no {' and no '.join(absent)} here (apt-get install xvfb xdotool)" if absent else ""


class Screen:
    """Started by `with`; `environment` is what programs on it need."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self.display = ""

    def __enter__(self) -> Screen:
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", _SIZE, "-nolisten", "tcp"]
        self._running.append(self._start(command, pass_fds=(write,)))
        os.close(write)
        with os.fdopen(read) as told:
            self.display = f":{told.readline().strip()}"
        if shutil.which("openbox"):
            self._running.append(self._start(["openbox"], env=self.environment))
            time.sleep(0.5)
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):
            process.terminate()
            process.wait(10)

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: text for key, text in os.environ.items() if key != "WAYLAND_DISPLAY"}
        return {**kept, "DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb"}

    def _start(self, command: list[str], **how: object) -> subprocess.Popen[bytes]:
        log = (self._folder / f"{command[0]}.log").open("wb")
        with log:
            return subprocess.Popen(command, stdout=log, stderr=log, **how)  # type: ignore[call-overload,no-any-return]  # passed on
