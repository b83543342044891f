"""Each wall of the sealed process is tried on its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import ctypes, json, os, socket, subprocess, sys, threading
import studio.formats.seal as seal
if sys.argv[2] == "kernel":
    seal._hook = lambda folder: lambda event, arguments: None
walls = seal.seal(sys.argv[1])
def held(action):
    try:
        action()
    except OSError:
        return True
    return False
thread = threading.Thread(target=lambda: None); thread.start(); thread.join()
print(json.dumps({
    "walls": walls,
    "socket": held(socket.socket),
    "program": held(lambda: subprocess.run(["/bin/true"])),
    "fork": held(os.fork),
    "write": held(lambda: open(sys.argv[1] + ".beside", "w")),
    "read": held(lambda: open(sys.argv[3]).read()) if sys.argv[2] == "kernel" else True,
    "own": not held(lambda: open(sys.argv[1] + "/mine", "w").write("x")),
}))
"""


@pytest.mark.parametrize("walls", ["all", "kernel"])
def test_nothing_gets_out(tmp_path: Path, walls: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")
    folder = tmp_path / "box"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), walls, str(secret)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    if walls == "kernel" and not {"landlock", "seccomp"} <= set(found["walls"]):
        pytest.skip(f"this kernel offers {found['walls']} only")
    assert all(found.values()), found
