"""The whole job from the command line: real processes, a real sshd where there is one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

TRIMTAB = (sys.executable, "-m", "studio")


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [*TRIMTAB, *(str(each) for each in arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def answer(*arguments: object, cwd: Path) -> dict[str, Any]:
    done = run(*arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.slow
def test_optimize_evaluate_compare_push(sample: Path, sample_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "int8.onnx"
    made = answer("optimize", sample, "--data", sample_data, "--preset", "int8", "--out", out, cwd=tmp_path)
    assert made["bytes"] <= 0.30 * made["original_bytes"]
    assert abs(made["accuracy"]["difference"]) <= 1.0
    judged = answer("evaluate", out, "--data", sample_data, cwd=tmp_path)
    assert (judged["sha256"], judged["n"]) == (made["sha256"], 1000)
    assert judged["value"] == pytest.approx(made["accuracy"]["optimized"])
    held = answer("compare", sample, out, cwd=tmp_path)
    assert set(held) >= {"original", "optimized", "difference", "interval", "n", "flips", "layers"}
    assert held["difference"] == pytest.approx(made["accuracy"]["difference"])
    assert any(layer["sqnr_db"] for layer in held["layers"])
    pushed = answer("board", "push", "this-computer", out, "--confirm", cwd=tmp_path)
    assert pushed["run"]["proved"]
    assert answer("board", "status", "this-computer", cwd=tmp_path)["state"] == "confirmed"


@pytest.mark.slow
def test_four_bits_shrink_the_file_further(sample: Path, sample_data: Path, tmp_path: Path) -> None:
    eight = answer(
        "optimize", sample, "--data", sample_data, "--set", "*:bits=8", "--out", "8.onnx", cwd=tmp_path
    )
    four = answer(
        "optimize", sample, "--data", sample_data, "--set", "*:bits=4", "--out", "4.onnx", cwd=tmp_path
    )
    assert four["bytes"] < 0.65 * eight["bytes"]


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_half_written(sample: Path, sample_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.onnx"
    out.write_bytes(b"what was there")
    command = [
        *TRIMTAB,
        "optimize",
        str(sample),
        "--data",
        str(sample_data),
        "--preset",
        "int8",
        "--out",
        str(out),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert "Traceback" not in stderr
    assert out.read_bytes() == b"what was there"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.slow
def test_the_demo_does_the_whole_job(tmp_path: Path) -> None:
    told = answer("demo", "--headless", "--out", "results", cwd=tmp_path)
    results = tmp_path / "results"
    assert told["board"]["run"]["proved"]
    assert told["board"]["confirmed"]
    assert (results / "fashion-int8.onnx").stat().st_size == told["optimize"]["bytes"]
    assert told["optimize"]["bytes"] <= 0.30 * told["optimize"]["original_bytes"]
    assert told["optimize"]["sha256"] in (results / "report.html").read_text()
    assert (results / "fashion.trimtab" / "project.json").exists()
    assert len(told["screenshots"]) == 2
    assert not (Path(os.environ["TRIMTAB_HOME"]) / "config" / "boards.json").exists()
