"""The real commands, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from studio.__main__ import main
from studio.cli.board.known import split_address
from studio.cli.main import cli


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def answer(*arguments: object, status: int = 0) -> dict[str, Any]:
    """The one JSON object on stdout."""
    result = run(*arguments, "--json")
    assert result.exit_code == status, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


@pytest.mark.slow
def test_inspect_has_the_keys_that_scripts_rely_on(sample: Path) -> None:
    told = answer("inspect", sample)
    assert set(told["totals"]) == {"params", "macs", "bytes", "nodes"}
    assert told["totals"]["bytes"] == sample.stat().st_size
    keys = {"name", "op", "group", "params", "macs", "bytes", "bits", "prunable"}
    assert all(keys <= set(layer) for layer in told["layers"])
    assert told["layers"][-1]["name"] == "head/fc"
    assert told["inputs"][0]["shape"][1:] == [1, 28, 28]


@pytest.mark.slow
def test_inspect_for_people_is_an_aligned_table(sample: Path) -> None:
    lines = run("inspect", sample).stdout.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("layer"))
    assert "─" in lines[at + 1]
    assert lines[at].index("op") == lines[at + 2].index("Conv")


def test_optimize_writes_the_file_that_it_measured(sample: Path, sample_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.onnx"
    told = answer(
        "optimize", sample, "--data", sample_data, "--limit", 200, "--preset", "int8",
        "--set", "head/fc:bits=32", "--out", out,
    )  # fmt: skip
    assert told["bytes"] == out.stat().st_size
    assert told["original_bytes"] == sample.stat().st_size
    assert told["bytes"] < 0.31 * told["original_bytes"]
    assert told["accuracy"]["n"] == 200
    by_name = {layer["name"]: layer for layer in told["layers"]}
    assert by_name["head/fc"]["bits"] == 32
    assert by_name["down1/conv"]["bits"] == 8
    assert {"name", "bits", "sparsity", "refused"} <= set(by_name["head/fc"])
    assert told["seconds"] > 0
    assert evaluated(sample)["n"] == 1000  # the data set is remembered for this model, the limit is not


def evaluated(sample: Path) -> dict[str, Any]:
    told = answer("evaluate", sample)
    assert {"metric", "value", "n", "interval", "bytes", "sha256"} <= set(told)
    assert told["interval"][0] < told["value"] < told["interval"][1]
    return told


@pytest.mark.slow
def test_an_unknown_pattern_is_an_error_with_near_names(sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.onnx"
    told = answer("optimize", sample, "--set", "haed/fc:bits=8", "--out", out, status=1)
    assert told["error"]["kind"] == "recipe"
    assert "head/fc" in told["error"]["fix"]
    assert not out.exists()


def test_the_input_is_never_written_over(sample: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model.onnx"
    copy.write_bytes(sample.read_bytes())
    told = answer("optimize", copy, "--preset", "int8", "--out", tmp_path / "." / "model.onnx", status=1)
    assert told["error"]["kind"] == "export"
    assert copy.read_bytes() == sample.read_bytes()


@pytest.mark.slow
def test_data_are_never_written_over(sample: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    np.savez(data, x=np.zeros((4, 1, 28, 28), np.float32))
    before = data.read_bytes()
    told = answer("optimize", sample, "--data", data, "--preset", "float16", "--out", data, status=1)
    assert told["error"]["kind"] == "export"
    assert data.read_bytes() == before


@pytest.mark.slow
def test_a_home_that_cannot_be_made(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path / "file"))
    told = answer("optimize", sample, "--preset", "float16", "--out", tmp_path / "o.onnx", status=1)
    assert "TRIMTAB_HOME" in told["error"]["fix"]
    assert answer("board", "list", status=1)["error"]["kind"] == "board"


def test_errors_for_people_are_on_stderr(tmp_path: Path) -> None:
    result = run("inspect", tmp_path / "gone.onnx")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "gone.onnx" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect",),
        ("optimize", "m.onnx"),
        ("evaluate", "m.onnx", "--limit", "many"),
        ("bogus",),
        ("--bogus",),
    ],
)
def test_wrong_usage_is_status_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments", [("inspect",), ("board", "push", "pi"), ("board", "bogus"), ("optimize",)]
)
def test_wrong_usage_is_one_object_too(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["kind"] == "usage"
    assert "Usage:" in told.err


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "nothing was asked for"),
        (("--preset", "bogus"), "no such preset"),
        (("--set", "*:bits"), "has no value"),
        (("--set", "*:bits=9"), "no width"),
        (("--set", "*:bits=x"), "bits=x cannot be understood"),
        (("--set", "*:bits=8,bits=4"), "given twice"),
        (("--set", "*:colour=red"), "no setting 'colour'"),
        (("--preset", "int8", "--recipe", "r.json"), "only one of them"),
        (("--recipe", "gone.json"), "cannot be read"),
    ],
)
def test_a_wrong_recipe_is_said_before_anything_is_opened(options: tuple[str, ...], text: str) -> None:
    told = answer("optimize", "never-opened.onnx", "--out", "o.onnx", *options, status=1)
    assert told["error"]["kind"] == "recipe"
    assert text in told["error"]["cause"]


@pytest.mark.slow
def test_a_build_that_changes_nothing_says_so(sample: Path, tmp_path: Path) -> None:
    result = run("optimize", sample, "--set", "*:bits=32", "--out", tmp_path / "o.onnx")
    assert result.exit_code == 0
    assert "no layer was changed" in result.stderr


@pytest.mark.slow
def test_evaluate_without_data_says_what_to_add(sample: Path) -> None:
    told = answer("evaluate", sample, status=1)
    assert "--data" in told["error"]["fix"]


def test_this_computer_is_always_a_board() -> None:
    told = answer("board", "list")
    assert [board["name"] for board in told["boards"]] == ["this-computer"]
    assert "this computer" in run("board", "list").stdout


def test_an_unknown_board_is_named() -> None:
    assert answer("board", "status", "nowhere", status=1)["error"]["kind"] == "board"


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("pi5", ("pi5", "", 0)),
        ("me@pi5:2222", ("pi5", "me", 2222)),
        ("me@[fe80::1]:2222", ("fe80::1", "me", 2222)),
        ("fe80::1", ("fe80::1", "", 0)),
    ],
)
def test_addresses_are_taken_apart(address: str, parts: tuple[str, str, int]) -> None:
    assert split_address(address, "", 0) == parts
