"""What the engine may take is the user's to set, and holds."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from studio.cli.main import cli
from studio.control import Control
from studio.data.reference import DataRef
from studio.paths import config_dir
from studio.session.session import Session
from studio.workbench import tuning
from studio.workbench.local import tuned
from studio.workbench.tuning import CUT_MEMORY, Tuning


def test_settings_are_shown_changed_and_found_again() -> None:
    asked = ["settings", "--cut-memory", "64MB", "--tight", "0.5", "--json"]
    assert json.loads(CliRunner().invoke(cli, asked).stdout) == {
        "cut_memory": 64_000_000,
        "tight": 0.5,
        "threads": 0,
    }
    shown = CliRunner().invoke(cli, ["settings", "--threads", "1"]).stdout
    assert "± 0.5 points" in shown
    assert tuning.read() == Tuning(64_000_000, 0.5, 1)


def test_a_settings_file_that_cannot_be_read_is_taken_as_none() -> None:
    (config_dir() / "engine.json").write_text("{half")
    assert tuning.read() == Tuning(CUT_MEMORY)


@pytest.mark.slow
def test_tight_enough_ends_a_measurement_before_all_samples(sample: Path, sample_data: Path) -> None:
    tuning.write(Tuning(tight=4.0))
    with closing(Session(tuned())) as session:
        session.open(sample, Control())
        session.attach_data(DataRef(str(sample_data)), Control())
        session.apply_preset("int8")
        found = session.measure(Control()).value.comparison
        assert found is not None
        figure = found.difference
        assert figure.final
        assert figure.n < 1000
        assert figure.low is not None
        assert figure.high is not None
        assert max(figure.high - figure.value, figure.value - figure.low) <= 4.0
