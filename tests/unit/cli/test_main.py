"""Which shell a command line reaches."""

from __future__ import annotations

import pytest

from studio.__main__ import main


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
