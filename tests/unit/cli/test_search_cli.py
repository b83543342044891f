"""Budgets as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from studio.cli.main import cli


@pytest.mark.parametrize(
    ("given", "thing"),
    [
        ([], "search"),
        (["--max-bytes", "many"], "size 'many'"),
        (["--max-latency", "3 hours"], "latency '3 hours'"),
    ],
)
def test_a_budget_that_cannot_be_held_is_refused_before_anything_runs(
    given: list[str], thing: str, sample: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.onnx"
    done = CliRunner().invoke(cli, ["search", str(sample), "--out", str(out), *given, "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["thing"] == thing
    assert not out.exists()


@pytest.mark.slow
def test_sensitivity_and_search_as_json(sample: Path, sample_data: Path, tmp_path: Path) -> None:
    given = [str(sample), "--data", str(sample_data), "--limit", "64", "--json"]
    rows = json.loads(CliRunner().invoke(cli, ["sensitivity", *given, "--rounds", "1"]).stdout)["rows"]
    assert {"group", "setting", "difference", "interval", "n", "sqnr_db", "bytes"} == set(rows[0])
    out = tmp_path / "out.onnx"
    asked = ["search", *given, "--out", str(out), "--max-bytes", "150kB"]
    found = json.loads(CliRunner().invoke(cli, asked).stdout)
    assert found["met"]
    assert found["bytes"] == out.stat().st_size <= 150_000
    assert found["front"]
