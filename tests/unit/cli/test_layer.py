"""`trimtab layer` shows weights and activations of one layer, before and after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from studio.cli.main import cli

_NAME = "stage2/block1/expand/conv"


def _run(sample: Path, sample_data: Path, *more: str) -> str:
    asked = ["layer", str(sample), *more, "--data", str(sample_data), "--limit", "64", "--preset", "int8"]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.slow
def test_weights_and_activations_come_with_their_grids(sample: Path, sample_data: Path) -> None:
    told = json.loads(_run(sample, sample_data, _NAME, "--json"))
    given, weights = told["activations"], told["weights"]
    assert told["outcome"]["bits"] == 8
    assert sum(weights["before"]) == sum(weights["after"]) == weights["count"]
    assert sum(given["before"]) == sum(given["after"]) == given["count"]
    assert len(given["grid"]) == 256
    assert given["samples"] == 64


@pytest.mark.slow
def test_the_text_draws_both_histograms(sample: Path, sample_data: Path) -> None:
    text = _run(sample, sample_data, _NAME)
    assert "256 levels" in text
    assert "█" in text


@pytest.mark.slow
def test_an_unknown_layer_is_told_where_to_look(sample: Path) -> None:
    done = CliRunner().invoke(cli, ["layer", str(sample), "nowhere", "--json"])
    assert done.exit_code == 1
    assert "inspect" in done.stdout
