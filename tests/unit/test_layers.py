"""Imports go down in rank only; heavy libraries and Qt stay where they belong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "studio"

RANKS = {
    "studio": 0,
    "errors": 0,
    "control": 0,
    "files": 0,
    "paths": 0,
    "processor": 0,
    "jobs": 1,
    "graph": 1,
    "kept": 1,
    "made_up": 2,
    "target": 2,
    "artifact": 2,
    "metrics": 2,
    "layer_times": 2,
    "data": 2,
    "recipe": 3,
    "stages": 4,
    "formats": 5,
    "compress": 5,
    "measure": 5,
    "search": 5,
    "boards": 5,
    "project": 5,
    "plugin": 6,
    "predict": 6,
    "estimate": 5,
    "report": 6,
    "doctor": 6,
    "workbench": 7,
    "session": 8,
    "cli": 9,
    "gui": 9,
    "__main__": 10,
}

# Imported inside the functions that need them, so that the window is up before any of them loads.
HEAVY = {
    "torch",
    "onnxruntime",
    "pyqtgraph",
    "asyncssh",
    "onnx",
    "onnx_ir",
    "scipy",
    "PIL",
    "optuna",
    "distributed",
}
QT = {"PySide6", "pyqtgraph"}

FILES = sorted(ROOT.rglob("*.py"))


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "studio"


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every absolute module that is imported anywhere, with its line; `from studio import x` counts as x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "studio" else [module]
            yield from ((name, node.lineno) for name in names)


def at_import(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """What is imported when the module itself is: not inside functions, not for type checkers."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(node)
        waiting.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_file_keeps_the_house_rules(path: Path) -> None:
    tree = ast.parse(path.read_text())
    breaches = [*rank_breaches(path, tree), *heavy_breaches(path, tree), *qt_breaches(path, tree)]
    assert breaches == []


def rank_breaches(path: Path, tree: ast.Module) -> list[str]:
    room = room_of(module_of(path))
    assert room in RANKS, f"{room} has no rank: give it one in the table above"
    found = []
    for name, line in imports(tree):
        if name.split(".")[0] != "studio":
            continue
        other = room_of(name)
        if other != room and RANKS.get(other, 0) >= RANKS[room]:
            found.append(f"line {line}: {room} must not import {name}")
    return found


def heavy_breaches(path: Path, tree: ast.Module) -> list[str]:
    # A widget that draws plots is itself imported late; pyqtgraph may stand at the top there.
    heavy = HEAVY - QT if room_of(module_of(path)) == "gui" else HEAVY
    return [
        f"line {line}: {name} at the top" for name, line in at_import(tree) if name.split(".")[0] in heavy
    ]


def qt_breaches(path: Path, tree: ast.Module) -> list[str]:
    if room_of(module_of(path)) == "gui":
        return []
    return [f"line {line}: {name} outside gui" for name, line in imports(tree) if name.split(".")[0] in QT]


def test_the_walk_sees_the_house() -> None:
    rooms = {room_of(module_of(path)) for path in FILES}
    assert {"graph", "recipe", "session", "workbench", "cli"} <= rooms


def test_breaches_are_found() -> None:
    path = ROOT / "graph" / "made_up.py"
    tree = ast.parse("import torch\nfrom studio.session.session import Session\nfrom PySide6 import QtCore\n")
    assert rank_breaches(path, tree) == ["line 2: graph must not import studio.session.session"]
    assert heavy_breaches(path, tree) == ["line 1: torch at the top"]
    assert qt_breaches(path, tree) == ["line 3: PySide6 outside gui"]


def test_a_file_stays_readable() -> None:
    long = {module_of(path): n for path in FILES if (n := len(path.read_text().splitlines())) > 500}
    assert long == {}
