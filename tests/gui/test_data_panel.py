"""The data panel: how a data set was understood, what the original says of samples, when to doubt it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from studio.control import Control
from studio.data.reference import DataFacts, DataRef
from studio.gui.data import words
from studio.gui.data.panel import DataPanel
from studio.gui.main_window import MainWindow
from studio.metrics import HERE, Answer, Comparison, Figure

_SECONDS = 60_000
_DATA = DataFacts(DataRef("a.npz"), "k", "npz", 100, True, 10, (1, 28, 28), "float32", 100, False)


def _found(accuracy: float) -> Comparison:
    whole = Figure(accuracy, "%", 500, HERE, accuracy - 3, accuracy + 3)
    return Comparison("top-1", whole, whole, Figure(0.0, "pp", 500, HERE), ())


def test_an_original_near_chance_is_doubted_with_figures() -> None:
    said = words.doubt(_DATA, _found(12.0))
    assert "12.00 % ± 3.00 (n = 500), by chance 10.0 %" in said
    assert "scale, mean and std" in said
    assert words.doubt(_DATA, _found(80.0)) == ""
    assert words.doubt(replace(_DATA, classes=2), _found(52.0)) == ""
    assert words.doubt(_DATA, None) == ""


def test_answers_are_marked_by_sign_too() -> None:
    lines = [
        words.under(each) for each in (Answer(0, 3, 90.0, 3), Answer(1, 3, 90.0, 5), Answer(2, 4, 9.0, None))
    ]
    assert lines == ["3 ✓", "3, not 5 ✗", "4"]
    assert words.under(Answer(3, None, None, 7)) == "7"


@pytest.mark.slow
def test_twelve_samples_come_with_the_answers_of_the_original(opened: MainWindow, qtbot: QtBot) -> None:
    panel, session = opened.page.of(DataPanel), opened.bridge.session
    opened.actions_["page_data"].trigger()
    qtbot.waitUntil(lambda: panel.list.count() == 12, timeout=_SECONDS)
    seen = session.samples(Control()).value
    assert [panel.list.item(at).text() for at in range(12)] == [
        words.under(each) for each in seen.look.answers
    ]
    rights = sum(each.given == each.label for each in seen.look.answers)
    assert panel.remark.text() == f"Of these 12, the original gets {rights} right"
    lines = panel.facts.text.split("\n")
    told = dict(zip(lines[::2], lines[1::2], strict=True))
    assert told["Task"] == "classification, 10 classes"
    assert told["Layout"] == "NCHW, (N, 1, 28, 28) float32"
    assert told["Values fed"] == f"{seen.look.low:.3g} … {seen.look.high:.3g}"
    assert panel.doubt.isHidden()


@pytest.mark.slow
def test_wrong_labels_are_warned_of(opened: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    panel, session = opened.page.of(DataPanel), opened.bridge.session
    assert session.document is not None
    assert session.document.data is not None
    with np.load(session.document.data.ref.path) as kept:
        x, y = kept["x"][:100], kept["y"][:100]
    path = tmp_path / "shifted.npz"
    np.savez(path, x=x, y=(y + 1) % 10)
    opened.actions_["page_data"].trigger()
    opened.bridge.attach(DataRef(str(path)), path.name)
    qtbot.waitUntil(lambda: not panel.doubt.isHidden(), timeout=_SECONDS)
    assert "by chance 10.0 %" in panel.doubt.text()
    assert panel.list.item(0).text().endswith("✗")
