"""Peak memory of a process that does nothing but run one model."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECONDS = 60
# VmHWM, not getrusage: the latter starts at the peak of the process that started the child.
_CHILD = """
import sys
import numpy, onnxruntime
path, data, threads = sys.argv[1:4]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = int(threads), 1
options.log_severity_level = 4
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
with numpy.load(data, allow_pickle=False) as held:
    feed = {name: held[str(index)] for index, name in enumerate(each.name for each in session.get_inputs())}
for _ in range(3):
    session.run(None, feed)
with open("/proc/self/status") as status:
    print(next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")))
"""


def peak_memory(path: str, feed: Mapping[str, NDArray[np.generic]], threads: int = 1) -> int:
    """Peak resident bytes of a Python process that opens `path` and runs `feed` a few times.

    `feed` holds the model's inputs in the order of the model. The runtime itself is counted (some
    40 MB). 0 where it cannot be told: not on Linux, in a frozen program, or where the child failed.
    """
    if not sys.platform.startswith("linux") or getattr(sys, "frozen", False):
        return 0
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "feed.npz")
        np.savez(data, **{str(index): array for index, array in enumerate(feed.values())})  # type: ignore[arg-type]  # the stub takes the names for its flag
        command = [sys.executable, "-I", "-c", _CHILD, str(Path(path).resolve()), str(data), str(threads)]
        return _answer(command)


def _answer(command: list[str]) -> int:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    lines = done.stdout.split()
    return int(lines[-1]) if done.returncode == 0 and lines and lines[-1].isdigit() else 0
