"""The doctor from the command line and through a worker process: what it says here, it says there."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from studio import target
from studio.cli.main import cli
from studio.control import Cancelled, Control
from studio.data.reference import DataRef
from studio.doctor.findings import Finding
from studio.errors import WorkerError
from studio.recipe.settings import Recipe, Settings
from studio.workbench.api import Job, ModelRef
from studio.workbench.local import LocalWorkbench
from studio.workbench.process import ProcessWorkbench

from .conftest import answers, pictures, plain

pytestmark = pytest.mark.slow
COUNT = 300


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A net and its data, whose labels are the net's own answers."""
    model, data = plain(bias=1.0).save(tmp_path / "net.onnx"), tmp_path / "data.npz"
    x = (pictures(1, COUNT) * 0.2 + 0.5).clip(0, 1)
    np.savez(data, x=x, y=answers(model, x))
    return model, data


def run(*arguments: object, status: int = 0) -> Result:
    result = CliRunner().invoke(cli, [str(each) for each in arguments])
    assert result.exit_code == status, result.output
    return result


def answer(*arguments: object, status: int = 0) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run(*arguments, "--json", status=status).stdout)
    return told


def ill_recipe() -> Recipe:
    return Recipe(target=target.here().name, default=Settings(bits=8)).with_rule("second", Settings(bits=1))


def test_the_command_names_cause_and_fix_and_applies_it(files: tuple[Path, Path]) -> None:
    model, data = files
    asked = ("doctor", model, "--data", data, "--set", "*:bits=8", "--set", "second:bits=1")
    told = answer(*asked, "--apply")
    first = told["findings"][0]
    assert (first["cause"], first["layers"], first["applicable"]) == ("bits", ["second"], True)
    assert first["interval"][0] > 0
    assert first["n"] == told["comparison"]["n"] == COUNT
    assert told["tried"] >= len(told["findings"])
    after = told["applied"]
    won = after["optimized"] - told["comparison"]["optimized"]
    assert won == pytest.approx(first["gain"])
    assert {"pattern": "second", "settings": {"bits": 8}} in after["recipe"]["rules"]
    said = run(*asked).stdout
    assert "1. Too few bits for a sensitive layer (second)" in said
    assert f"8 bits for this layer: {first['gain']:+.2f}".replace("-", "−")[:30] in said.replace("-", "−")


def test_a_preparation_that_was_found_can_be_used_by_every_command(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    model, data = files
    held = np.load(data)
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, x=np.ascontiguousarray(255 * held["x"][:, ::-1]), y=held["y"])
    told = answer("doctor", model, "--data", wrong, "--preset", "int8", "--apply")
    first = told["findings"][0]
    assert first["cause"] == "preprocessing"
    assert told["applied"]["original"] > 99 > told["comparison"]["original"]
    how = tmp_path / "how.json"
    how.write_text(json.dumps(first["adjust"][0]))
    assert answer("evaluate", model, "--data", wrong, "--preprocessing", how)["value"] > 99
    how.write_text('{"scale": 2, "crop": [8, 8]}')
    refused = answer("evaluate", model, "--data", wrong, "--preprocessing", how, status=1)
    assert "exchanged" in refused["error"]["fix"]


def test_without_a_recipe_there_is_nothing_to_examine(files: tuple[Path, Path]) -> None:
    model, data = files
    assert "no recipe was given" in answer("doctor", model, "--data", data, status=1)["error"]["cause"]


def test_a_worker_process_finds_what_this_one_finds_and_its_death_is_told(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    model, data = files
    here, away = LocalWorkbench(tmp_path / "here", threads=1), ProcessWorkbench(LocalWorkbench)
    try:
        facts = here.open(str(model), Control())
        job = Job(ModelRef.to(facts), ill_recipe(), DataRef(str(data)))
        told: list[Finding] = []
        found = away.diagnose(job, told.append, Control())
        local = here.diagnose(job, lambda _: None, Control())
        assert found.findings == local.findings
        assert (found.comparison, found.tried) == (local.comparison, local.tried)
        assert set(told) == set(found.findings)

        def kill(fraction: float, text: str) -> None:
            if away.pid is not None:
                os.kill(away.pid, signal.SIGKILL)

        with pytest.raises(WorkerError):
            away.diagnose(job, lambda _: None, Control(kill))  # at its first step, long before its end
        control = Control(lambda fraction, text: control.cancel())
        with pytest.raises(Cancelled):
            away.diagnose(job, lambda _: None, control)
        assert away.diagnose(job, lambda _: None, Control()).findings == local.findings
    finally:
        away.close()
        here.close()
