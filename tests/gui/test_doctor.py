"""The doctor's panel: findings as a text picture, and what is said of a healthy file."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from studio.doctor.findings import Diagnosis, Evidence, Finding, Fix
from studio.gui.doctor import words
from studio.gui.doctor.model import FindingsModel
from studio.metrics import HERE, Comparison, Figure
from studio.recipe.settings import Recipe
from tests.gui.as_text import picture

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
    model.show_findings(_FOUND)
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
