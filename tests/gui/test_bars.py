"""Bars per layer: what they show, from where, as CSV; hover tells a bar, a click chooses its layer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from studio.gui.bridge import Bridge
from studio.gui.desk import Desk, Selection
from studio.gui.layers.rows import Row
from studio.gui.looks.theme import Look
from studio.gui.main_window import MainWindow
from studio.gui.plots.barchart import short
from studio.gui.plots.bars import KINDS, bars, csv, known, remark
from studio.gui.plots.bars_panel import BarsPanel, macs
from studio.metrics import HERE, Figure, Sensitivity
from studio.predict import LayerTimes
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Settings
from studio.session.session import Session
from studio.target import load
from studio.workbench.local import LocalWorkbench
from tests.gui.test_layers import _facts, _rows

_PRUNED = Recipe().with_rule("g1", Settings(sparsity=0.5))


def _known() -> tuple[Row, ...]:
    effect = Sensitivity("g1", "bits=4", Figure(-1.25, "pp", 256, HERE, -2.0, -0.5), 20.0, 5000)
    first, *rest = _rows(Recipe(default=Settings(bits=8)), (effect,))
    return (replace(first, real=True, sqnr_db=31.25, times=LayerTimes("a", 0.2, 0.08), timed_on="pi"), *rest)


def test_each_kind_tells_its_source_and_interval() -> None:
    told = {
        kind: remark(bars(kind, _known(), {"a": (1000.0, 500.0)})[0], KINDS[kind].write) for kind in KINDS
    }
    assert told == {
        "size": "a:  4.61 KB → 1.23 KB  ·  length in the built file",
        "macs": "a:  1.00K → 500  ·  counted from shapes and channels that stay",
        "sensitivity": "a:  1.25 pp  [0.50 pp, 2.00 pp]  ·  bits=4, measured here · n = 256",
        "sqnr": "a:  31.2 dB  ·  measured here",
        "time": "a:  0.2 ms → 0.08 ms  ·  measured on pi",
    }


def test_what_is_not_measured_is_not_drawn() -> None:
    assert [kind for kind in KINDS if known(bars(kind, _rows(), {}))] == ["size"]


def test_macs_follow_the_channels_that_stay() -> None:
    facts, target = _facts(), load("onnxruntime-cpu")
    counted = macs(facts, resolve(_PRUNED, facts, target, True))
    assert counted == {"a": (1000.0, 500.0), "b": (1000.0, 500.0), "head": (1000.0, 500.0)}


def test_bars_as_csv() -> None:
    text = csv(bars("sensitivity", _known(), {}), "Sensitivity").splitlines()
    assert text[0] == "layer,Sensitivity before,Sensitivity now,low,high,n,source"
    assert text[1] == 'a,,1.25,0.5,2.0,256,"bits=4, measured here"'
    assert text[3] == "head,,,,,0,"


def test_names_are_what_tells_layers_apart() -> None:
    assert short(["/a/b1/expand/conv", "/a/b2/conv"]) == ["b1: expand", "a: b2"]
    assert short(["conv1", "fc"]) == ["conv1", "fc"]


@pytest.fixture
def desk(look: Look, engine: LocalWorkbench) -> Desk:
    return Desk(Bridge(Session(engine)), look, Selection())


def test_hover_tells_a_bar_and_a_click_chooses_it(qtbot: QtBot, desk: Desk, tmp_path: Path) -> None:
    panel = BarsPanel(desk)
    qtbot.addWidget(panel)
    panel.resize(700, 240)
    panel.show()
    panel.show_rows(_known(), _facts(), resolve(Recipe(), _facts(), load("onnxruntime-cpu"), True))
    panel.draw()
    chart = panel.chart
    assert chart is not None
    spot = chart.plot.getViewBox().mapViewToScene(QPointF(1.1, 100.0))
    chart._hover((spot,))
    assert panel.remark.text().startswith("b:  4.61 KB")
    chart.clicked("head")
    assert desk.selection.names == ("head",)
    chart._hover((QPointF(-50, -50),))
    assert panel.remark.text().startswith("head:  640 B")
    panel.combo.setCurrentIndex(panel.combo.findData("sqnr"))
    panel.draw()
    assert panel.body() is chart.widget
    panel.copy()
    assert QGuiApplication.clipboard().text().startswith("layer,SQNR before")
    panel.save_picture(str(tmp_path / "bars.svg"))
    assert (tmp_path / "bars.svg").read_bytes().startswith(b"<?xml")
    desk.bridge.close()


@pytest.mark.slow
def test_the_page_follows_the_edits(opened: MainWindow, qtbot: QtBot) -> None:
    opened.actions_["page_bars"].trigger()
    panel = opened.page.of(BarsPanel)
    name = opened.bridge.session.facts.layers[2].name
    opened.bridge.edit((name,), Settings(bits=4))
    qtbot.waitUntil(lambda: panel.bars[2].after is not None and panel.bars[2].after < 8000, timeout=40_000)
    assert panel.bars[2].before == opened.bridge.session.facts.layers[2].bytes
    panel.combo.setCurrentIndex(panel.combo.findData("time"))
    panel.draw()
    assert panel.body() is panel.empty
    assert "board profile" in panel.empty.text()
