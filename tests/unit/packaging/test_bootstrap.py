"""The installer needs nothing but Python, and installs exactly what is pinned."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BOOTSTRAP = ROOT / "packaging" / "bootstrap.py"


def pinned() -> dict[str, str]:
    rows = (ROOT / "packaging" / "constraints.txt").read_text().splitlines()
    pairs = (row.split("==") for row in rows if row and not row.startswith("#"))
    return {canonical(name): version for name, version in pairs}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    rows = project["dependencies"] + extras["torch"] + extras["netron"] + extras["boards"] + extras["dev"]
    return {canonical(re.split(r"[<>=!;\[ ]", row)[0]) for row in rows}


def test_bootstrap_imports_the_standard_library_only() -> None:
    tree = ast.parse(BOOTSTRAP.read_text())
    imported = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    imported |= {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names


def test_every_dependency_is_pinned() -> None:
    assert wanted() - pinned().keys() == set()


def test_the_pyside_that_kills_python_311_is_not_pinned() -> None:
    assert pinned()["pyside6-essentials"] != "6.12.0"


def test_bootstrap_runs_from_any_folder(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-I", str(BOOTSTRAP), "--help"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0
    assert b"demo" in done.stdout


def test_every_package_is_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(project["tool"]["setuptools"]["packages"]) - {"studio_resources"}
    folders = {path.parent for path in (ROOT / "studio").rglob("__init__.py")}
    assert {".".join(folder.relative_to(ROOT).parts) for folder in folders} == listed


@pytest.mark.slow
def test_the_wheel_carries_resources(tmp_path: Path) -> None:
    make = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(make, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    listing = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, text=True
    )
    for name in (
        "studio_resources/samples/fashion.onnx",
        "studio_resources/presets/int8.json",
        "studio/py.typed",
    ):
        assert name in listing.stdout
