"""The jobs panel: rows as a text picture, remaining time, results, cancelling."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.control import Control
from studio.errors import DataError
from studio.gui.jobs.model import JobsModel
from studio.gui.jobs.panel import JobsPanel
from studio.gui.jobs.rows import Row, State, duration
from studio.gui.main_window import MainWindow
from studio.jobs import Advance, Outcome
from tests.gui.as_text import picture


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rows_tell_progress_time_left_and_results() -> None:
    clock = _Clock()
    model = JobsModel(clock=clock)
    model.begin("open", "Opening a.onnx", 1)
    model.begin("search", "Searching", 2)
    clock.now += 30
    model.advance(Advance("search", 2, "Searching", 0.25, "recipe 6 of 24"))
    model.end(Outcome("open", 1, "Opening a.onnx", error=DataError("a.onnx", "it is empty", "Take another.")))
    assert picture(model) == (
        "Job | Progress | Time | Result\n"
        "Searching | 25 % | 1:30 left | recipe 6 of 24\n"
        f"Opening a.onnx | Failed | 30 s | {DataError('a.onnx', 'it is empty', 'Take another.')}"
    )


def test_a_replaced_job_leaves_no_row_and_equal_ones_become_one() -> None:
    model = JobsModel()
    for ticket in (1, 2):
        model.begin("measure", "Measuring", ticket)
    model.end(Outcome("measure", 1, "Measuring", cancelled=True))
    model.end(Outcome("measure", 2, "Measuring", value=None))
    model.begin("measure", "Measuring", 3)
    model.end(Outcome("measure", 3, "Measuring", cancelled=True))
    assert picture(model, (0, 1)) == "Job | Progress\nMeasuring | Cancelled"


def test_remaining_time_is_told_once_there_is_something_to_tell_by() -> None:
    row = Row(1, "lane", "Counting", began=0.0, fraction=0.02)
    assert row.left(10.0) is None
    assert Row(1, "lane", "Counting", 0.0, fraction=0.5).left(10.0) == 10.0
    assert Row(1, "lane", "Counting", 0.0, State.DONE, 1.0, ended=4.0).left(10.0) is None
    assert [duration(each) for each in (0.44, 12.2, 187)] == ["0.4 s", "12 s", "3:07"]


def _counting(control: Control) -> None:
    while True:
        control.step(0.5, "half")


@pytest.mark.slow
def test_the_panel_follows_jobs_and_delete_cancels_them(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.page.of(JobsPanel)
    assert not panel.stop.isEnabled()
    window.bridge.run("probe", "Counting", _counting)
    qtbot.waitUntil(_says(panel, "50 %"))
    assert panel.remark.text() == "1 running"
    panel.view.selectRow(0)
    QTest.keyClick(panel.view, Qt.Key.Key_Delete)
    qtbot.waitUntil(_says(panel, "Cancelled"))
    panel.clear.click()
    assert panel.view.source.rowCount() == 0


@pytest.mark.slow
def test_cancelling_one_job_leaves_the_others_of_its_lane(window: MainWindow, qtbot: QtBot) -> None:
    panel, bridge = window.page.of(JobsPanel), window.bridge
    bridge.run("probe", "First", _counting)
    qtbot.waitUntil(_says(panel, "50 %"))
    bridge.run("probe", "Second", _counting, replace=False)
    bridge.run("probe", "Third", lambda _: Path("made"), replace=False)
    panel.view.selectRow(1)
    assert panel.view.currentIndex().data() == "Second"
    QTest.keyClick(panel.view, Qt.Key.Key_Delete)
    panel.view.selectRow(2)
    QTest.keyClick(panel.view, Qt.Key.Key_Delete)
    qtbot.waitUntil(_says(panel, "Third | Done"))
    assert picture(panel.view.source, (0, 1)).splitlines() == [
        "Job | Progress",
        "Third | Done",
        "Second | Cancelled",
        "First | Cancelled",
    ]


def _says(panel: JobsPanel, text: str) -> Callable[[], bool]:
    return lambda: text in picture(panel.view.source)
