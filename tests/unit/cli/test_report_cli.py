"""`trimtab report`: the page, and a clear word where Qt is not there for the PDF."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from click.testing import CliRunner

from studio.cli.main import cli


def test_a_report_names_its_recipe(sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    done = CliRunner().invoke(cli, ["report", str(sample), "--preset", "float16", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "recipe “float16”" in out.read_text("utf-8")


def test_without_qt_a_pdf_is_refused_before_anything_is_done(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        "studio.cli.report.find_spec", lambda name: None if name == "PySide6" else there(name)
    )
    out = tmp_path / "report.html"
    done = CliRunner().invoke(cli, ["report", str(sample), "--out", str(out), "--pdf", "x.pdf"])
    assert done.exit_code != 0
    assert "Qt, which is not installed" in done.output
    assert not out.exists()
