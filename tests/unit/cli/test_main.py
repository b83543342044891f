"""Which shell a command line reaches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from studio.__main__ import main

INTERRUPTED_IN_AN_EXEC = """
import sys
from studio.__main__ import main
from studio.cli.main import cli

@cli.command("wait")
def wait():
    exec("import os, signal\\nos.kill(os.getpid(), signal.SIGINT)\\nwhile True: pass")

sys.exit(main(["wait"]))
"""


@pytest.mark.parametrize("word", ["model.onnx", "folder/model", "sample"])
def test_a_window_without_a_display_is_refused_in_words(
    word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main([word]) == 1
    assert "demo --headless" in capsys.readouterr().err


def test_two_files_are_a_usage_error() -> None:
    assert main(["a.onnx", "b.onnx"]) == 2


def test_an_unknown_verb_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspct"]) == 2
    assert "inspct" in capsys.readouterr().err


def test_a_verb_reaches_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "--json"]) == 0
    assert capsys.readouterr().out.startswith('{"plugins":')


def test_ctrl_c_while_a_module_is_imported_ends_with_the_status_of_an_interruption(tmp_path: Path) -> None:
    (tmp_path / "shell.py").write_text(INTERRUPTED_IN_AN_EXEC)
    ended = subprocess.run([sys.executable, "-m", "shell"], cwd=tmp_path, timeout=60, check=False)
    assert ended.returncode == 130
