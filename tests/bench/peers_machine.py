"""What decides a bench's figures besides the code: processor, its integer instructions, versions."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from importlib.metadata import version
from pathlib import Path

from studio import processor

FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimddp", "i8mm", "sve")
VNNI = ("avx_vnni", "avx512_vnni", "amx_int8")
OURS = ("numpy", "onnx", "onnx-ir", "onnxruntime")
_LIST = """
import sys
from importlib.metadata import distributions
found = {each.metadata["Name"]: each.version for each in distributions()}
for name in sys.argv[1:]:
    if name in found:
        print(name, found[name])
"""
PEERS = ("nncf", "aimet-onnx", "amd-quark", "onnxruntime", "onnx", "torch")


def facts(peers: Iterable[str], made_for: str) -> dict[str, object]:
    """Plain facts for JSON; what the system does not tell is left out."""
    found = processor.here()
    return {
        "cpu": found.model,
        "flags": [each for each in FLAGS if each in found.features],
        "vnni": any(each in found.features for each in VNNI),
        "target": made_for,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in OURS},
        "peers": [_versions(python) for python in peers],
        "day": date.today().isoformat(),
        "command": " ".join(["python", *sys.argv]),
    }


def commit() -> str:
    """The project's commit, with a plus where the working tree differs from it."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return told.stdout.strip()


def _versions(python: str) -> dict[str, str]:
    done = subprocess.run([python, "-c", _LIST, *PEERS], capture_output=True, text=True, check=False)
    pairs = (line.split() for line in done.stdout.splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
