from __future__ import annotations

import io

import pytest

from studio.cli import tables
from studio.cli.progress import ProgressLine
from studio.metrics import HERE, Figure


def test_numbers_are_flush_right_and_words_left() -> None:
    text = tables.table(("layer", "bytes"), [["conv", "1,234"], ["a/long/name", "5"]])
    assert text.splitlines() == [
        "layer        bytes",
        "───────────  ─────",
        "conv         1,234",
        "a/long/name      5",
    ]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1_100_495, "1.1 MB"), (2.5e9, "2.5 GB")]
)
def test_sizes_are_decimal(count: float, text: str) -> None:
    assert tables.size(count) == text


def test_a_figure_names_its_interval_and_n() -> None:
    figure = Figure(-0.25, "pp", 1000, HERE, -0.5, 0.1)
    assert tables.figure(figure, signed=True) == "-0.25 pp  [-0.50, +0.10]  n = 1,000"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_silent_where_nobody_watches() -> None:
    stream = io.StringIO()
    ProgressLine(stream).show(0.5, "half")
    assert stream.getvalue() == ""


def test_progress_draws_and_goes_away() -> None:
    stream = Terminal()
    line = ProgressLine(stream)
    line.show(1.0, "done")
    assert "100%  done" in stream.getvalue()
    line.clear()
    assert stream.getvalue().endswith("\r\x1b[2K")
