"""Every hostile file ends in one clear error, in bounded time and memory."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SECONDS = 5.0  # of a processor: the documented bound for a refusal
BYTES = 1 << 30


def _names() -> list[str]:
    spec = importlib.util.spec_from_file_location("hostile", HERE / "hostile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return sorted(module.MAKERS)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("hostile")
    done = subprocess.run(
        [sys.executable, str(HERE / "sweep.py"), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_there_are_forty_of_them() -> None:
    assert len(_names()) >= 40


@pytest.mark.slow
@pytest.mark.parametrize("name", _names())
def test_file_is_refused_with_one_clear_error(sweep: dict[str, Any], name: str) -> None:
    result = sweep["files"][name]
    assert result["kind"] == "ModelError", result
    assert result["text"].startswith(result["path"])
    assert result["text"].count(". ") >= 1
    assert len(result["text"]) < 800
    assert "Traceback" not in result["text"]
    assert result["seconds"] < SECONDS


@pytest.mark.slow
def test_no_file_takes_a_gigabyte(sweep: dict[str, Any]) -> None:
    assert sweep["peak_bytes"] < BYTES
