"""The doctor's panel: findings as a text picture, and what is said of a healthy file."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.doctor.findings import Diagnosis, Evidence, Finding, Fix
from studio.gui.bridge import DOCTOR, MEASURE, OPEN
from studio.gui.doctor import words
from studio.gui.doctor.model import FindingsModel
from studio.gui.doctor.panel import DoctorPanel
from studio.gui.main_window import MainWindow
from studio.metrics import HERE, Comparison, Figure
from studio.recipe.settings import Recipe, Settings
from tests.gui.as_text import picture
from tests.gui.conftest import measured

_SECONDS = 120_000

_GAIN = Figure(10.0, "pp", 800, HERE, 6.4, 13.6)
_FOUND = (
    Finding(
        "outlier",
        ("conv2", "conv3"),
        (Evidence("stretch", 24.98, "×"),),
        Fix("calibration", "percentile", Recipe(calibration="percentile")),
        _GAIN,
    ),
    Finding("preprocessing", (), (Evidence("accuracy", 11.5, "%"),), Fix("check"), None),
)


def test_findings_say_cause_layer_evidence_fix_and_gain(qtbot: QtBot) -> None:
    model = FindingsModel()
    model.show_rows(_FOUND)
    assert picture(model) == (
        "Cause | Layer | Evidence | Fix | Gain, pp\n"
        "A few values stretch the range of an activation | conv2 + 1 more | "
        "range against its middle 99.9 %: 25 × | Calibrate by percentile | +10.00 ± 3.60\n"
        "The samples are not prepared as for training: the original itself is wrong too often | – | "
        "accuracy of the original: 11.5 % | Check scale, mean and std, layout and the order of channels | "
        "not measured"
    )


def test_health_is_told_with_figures() -> None:
    whole, lost = Figure(90.0, "%", 500, HERE), Figure(-0.2, "pp", 500, HERE, -0.7, 0.3)
    found = Diagnosis(Comparison("top-1", whole, whole, lost, ()), (), (Evidence("output", 33.4, "dB"),))
    said = "Nothing is wrong: −0.20 ± 0.50 pp against the original (n = 500).\n"
    assert words.nothing(found) == said + "signal to noise of the outputs: 33.4 dB"


@pytest.mark.slow
def test_a_fix_is_found_applied_and_undone(opened: MainWindow, qtbot: QtBot) -> None:
    panel, bridge = opened.page.of(DoctorPanel), opened.bridge
    layer = bridge.session.facts.layers[1].name
    rough = Recipe(target=bridge.session.recipe.target, default=Settings(bits=8), repair=())
    bridge.apply_recipe(rough.with_rule(layer, Settings(bits=1)), "one bit, unrepaired")
    qtbot.waitUntil(lambda: measured(opened), timeout=_SECONDS)
    before = bridge.session.recipe
    opened.actions_["page_doctor"].trigger()
    panel.run.click()
    qtbot.waitUntil(lambda: panel.run.text() == "Examine", timeout=_SECONDS)
    assert panel.source.findings
    finding = panel.chosen
    assert finding is panel.source.findings[0]
    assert finding.cause == "bits"
    assert opened.page.selection.names == finding.where == (layer,)
    assert opened.page.layers.view.names() == (layer,)
    panel.apply.click()
    qtbot.waitUntil(lambda: bridge.session.recipe != before and not bridge.busy(MEASURE), timeout=_SECONDS)
    qtbot.waitUntil(lambda: measured(opened), timeout=_SECONDS)
    assert bridge.session.plan().of(layer).bits == 8
    assert not panel.apply.isEnabled()  # these findings were of the state before
    bridge.undo()
    assert bridge.session.recipe == before


@pytest.mark.slow
def test_another_model_ends_the_examination(
    opened: MainWindow, qtbot: QtBot, sample: Path, tmp_path: Path
) -> None:
    panel, bridge = opened.page.of(DoctorPanel), opened.bridge
    bridge.edit(("*",), Settings(bits=4))
    panel.run.click()
    assert panel.run.text() == "Cancel"
    other = tmp_path / "other.onnx"
    other.write_bytes(sample.read_bytes())
    bridge.open(str(other), other.name)
    qtbot.waitUntil(lambda: panel.run.text() == "Examine", timeout=_SECONDS)
    qtbot.waitUntil(lambda: not bridge.busy(DOCTOR) and not bridge.busy(OPEN), timeout=_SECONDS)
    bridge.proven.emit(_FOUND[0])  # one that was still on its way
    assert not panel.source.findings
