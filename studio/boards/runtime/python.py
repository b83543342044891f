"""Which Python on the board can run a model, or in plain words why none can."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass

from studio.boards.book import Board
from studio.boards.links.link import Link

# Looks without importing: onnxruntime takes seconds to load on a small board, and the runner does it anyway.
_ASK = """
import importlib.util, platform
print('python', platform.python_version())
for name in ('numpy', 'onnxruntime'):
    if importlib.util.find_spec(name):
        try:
            from importlib.metadata import version
            print(name, version(name))
        except ImportError:
            print(name, 'unknown')
"""
_PLACES = (
    "~/trimtab/venv/bin/python",
    "~/venv/bin/python",
    "~/.venv/bin/python",
    "~/env/bin/python",
    "/opt/venv/bin/python",
    "python3",
    "python",
    "/usr/local/bin/python3",
    "~/miniforge3/bin/python",
    "~/miniconda3/bin/python",
)


@dataclass(frozen=True, slots=True)
class Python:
    """`path` is "" where there is none; `missing` says in plain words why no model can be run."""

    path: str
    version: str
    onnxruntime: str
    missing: str = ""


def find_python(link: Link, board: Board) -> Python:
    """The board's configured Python, else the first usual one that has numpy and onnxruntime."""
    places = _places(board)
    first: Python | None = None
    for place in places:
        found = _asked(link, place)
        if found.onnxruntime:
            return found
        if found.version and first is None:
            first = found
    if first is not None:
        return first
    if board.python:
        return Python("", "", "", f"{board.python} does not run on the board")
    return Python("", "", "", "no Python on the board: looked for python3 and the usual virtual environments")


def _places(board: Board) -> tuple[str, ...]:
    if board.python:
        return (board.python,)
    return (sys.executable, *_PLACES) if board.kind == "local" else _PLACES


def _asked(link: Link, place: str) -> Python:
    # The held shell expands `~`; the rest is quoted.
    command = f"~/{shlex.quote(place[2:])}" if place.startswith("~/") else shlex.quote(place)
    reply = link.run(f"{command} -c {shlex.quote(_ASK)}", timeout=60.0)
    said = dict(line.split(" ", 1) for line in reply.out.splitlines() if " " in line)
    version = said.get("python", "")
    if not version:
        return Python("", "", "")
    for module in ("numpy", "onnxruntime"):
        if module not in said:
            return Python(command, version, "", f"no {module} for {place} (Python {version}) on the board")
    return Python(command, version, said["onnxruntime"])
