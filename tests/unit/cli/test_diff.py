"""`trimtab diff` lists what became of the graph."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from studio.cli.main import cli


@pytest.mark.slow
def test_a_file_against_itself_has_no_difference(sample: Path) -> None:
    done = CliRunner().invoke(cli, ["diff", str(sample), str(sample), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"removed": [], "inserted": [], "changed": []}
