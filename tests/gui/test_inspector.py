"""The pictures of one layer: its group's curve, the bar that stands out, what is said without figures."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from studio.gui.inspector.curve import Curve, lines
from studio.gui.inspector.histogram import Histogram
from studio.gui.inspector.panel import Inspector
from studio.gui.looks.theme import Look
from studio.gui.main_window import MainWindow
from studio.gui.texts.texts import T
from studio.metrics import HERE, ActivationView, Figure, Sensitivity
from studio.recipe.resolve import LayerPlan, resolve
from studio.recipe.settings import Recipe, Settings
from studio.target import load
from tests.gui.test_layers import _facts


def _effect(group: str, setting: str, points: float) -> Sensitivity:
    return Sensitivity(group, setting, Figure(points, "pp", 256, HERE, points - 1, points + 1), None, 100)


_FOUND = (
    _effect("g1", "bits=4", -2.0),
    _effect("g1", "bits=8", 0.5),
    _effect("g2", "bits=2", -9.0),
    _effect("g1", "sparsity=0.3", -1.0),
)


def _plan(bits: int) -> LayerPlan:
    recipe = Recipe().with_rule("a", Settings(bits=bits))
    return resolve(recipe, _facts(), load("onnxruntime-cpu"), True).of("a")


def test_the_curve_runs_from_the_original_to_the_harshest_stop() -> None:
    bits, sparsity = lines(_FOUND, "g1", _plan(bits=4))
    assert [(stop.text, stop.lost) for stop in bits.stops] == [("32", 0.0), ("8", -0.5), ("4", 2.0)]
    assert (bits.stops[2].low, bits.stops[2].high) == (1.0, 3.0)
    assert bits.at == 2.0
    assert [stop.text for stop in sparsity.stops] == ["0", "30"]
    assert sparsity.at == 0.0


def test_now_may_lie_between_two_stops() -> None:
    bits, *_ = lines(_FOUND, "g1", _plan(bits=6))
    assert bits.at == pytest.approx(1.5)
    assert lines(_FOUND, "g9", _plan(bits=8)) == ()


@pytest.mark.slow
def test_curve_and_histogram_are_drawn_and_say_what_they_show(qtbot: QtBot, look: Look) -> None:
    curve, bars = Curve("Lost", look), Histogram("Activations", look)
    empty = []
    for picture in (curve, bars):
        qtbot.addWidget(picture)
        picture.resize(260, 150)
        picture.empty = "nothing yet"
        picture.name_layer("a")
        assert picture.accessibleDescription() == "nothing yet"
        empty.append(picture.grab().toImage())
    curve.show_lines("a", lines(_FOUND, "g1", _plan(bits=4)), "n = 256")
    grid = tuple(place / 255 for place in range(256))
    counts = (90_000, *range(95, 0, -1))
    edges = tuple(place / 96 for place in range(97))
    bars.show_view(ActivationView("a", edges, counts, counts, grid, 0.0, sum(counts), 64), "n = 64")
    assert (curve.accessibleName(), bars.accessibleDescription()) == ("Lost: a", "n = 64")
    for picture, before in zip((curve, bars), empty, strict=True):
        assert _differs(picture.grab().toImage(), before)


def _differs(one: QImage, other: QImage) -> bool:
    return bool(one.size() == other.size() and one != other)


@pytest.mark.slow
def test_without_data_it_says_what_to_attach(window: MainWindow, qtbot: QtBot, sample: object) -> None:
    window.bridge.open(str(sample), "sample")
    qtbot.waitUntil(lambda: window.bridge.session.artifact is not None, timeout=40_000)
    window.actions_["page_layer"].trigger()
    inspector = window.page.of(Inspector)
    qtbot.waitUntil(lambda: inspector.activations.empty == T.given_no_data, timeout=40_000)
    assert inspector.curve.empty == T.curve_no_data
    assert inspector.measure.isHidden()
