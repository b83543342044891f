"""The plots along the history: lanes of latency, CSV, pictures, and the point under the mouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from studio.gui.looks.theme import Look
from studio.gui.plots.panel import PlotPanel
from studio.gui.plots.series import Point, Series

_POINTS = (
    Point(0, "open", 1.0, None, 1.2, 200, "measured here", False, "measured here"),
    Point(1, "preset int8", 0.5, None, 0.7, 200, "measured here", False, "measured here"),
    Point(1, "preset int8", 2.5, None, None, 500, "measured on pi", False, "measured on pi"),
)


def _panel(qtbot: QtBot, look: Look) -> PlotPanel:
    panel = PlotPanel("Latency", look, 2, lambda value: f"{value:.2f} ms", floor=0.0)
    qtbot.addWidget(panel)
    panel.resize(500, 260)
    panel.show()
    panel.show_series(Series(_POINTS, 1.0, 1), "")
    panel.draw()
    return panel


@pytest.mark.slow
def test_points_go_to_the_clipboard_with_their_source(qtbot: QtBot, look: Look) -> None:
    panel = _panel(qtbot, look)
    panel.copy()
    assert QGuiApplication.clipboard().text() == (
        "step,edit,Latency,low,high,n,source,estimate\n"
        "0,open,1.0,,1.2,200,measured here,False\n"
        "1,preset int8,0.5,,0.7,200,measured here,False\n"
        "1,preset int8,2.5,,,500,measured on pi,False\n"
    )


@pytest.mark.slow
def test_the_plot_is_saved_as_svg_and_png(qtbot: QtBot, look: Look, tmp_path: Path) -> None:
    panel = _panel(qtbot, look)
    for name, start in (("a.svg", b"<?xml"), ("a.png", b"\x89PNG")):
        panel.save_picture(str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.slow
def test_the_point_under_the_mouse_is_told(qtbot: QtBot, look: Look) -> None:
    panel = _panel(qtbot, look)
    assert panel.remark.text() == "0.50 ms  ·  measured here · n = 200"
    chart = panel.chart
    assert chart is not None
    where = chart.plot.getViewBox().mapViewToScene(QPointF(1.0, 2.4))
    chart._hover((where,))
    assert panel.remark.text() == "preset int8:  2.50 ms  ·  measured on pi · n = 500"
    chart._hover((QPointF(-50, -50),))
    assert panel.remark.text() == "0.50 ms  ·  measured here · n = 200"
