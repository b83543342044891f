"""kill -9 of the worker in mid-work: the window stays, says so, and the work goes on where it was."""

from __future__ import annotations

import os
import signal

import pytest
from pytestqt.qtbot import QtBot

from studio.data.reference import DataRef
from studio.gui.bridge import SENSE
from studio.gui.looks.theme import Look
from studio.gui.main_window import MainWindow
from studio.metrics import Sensitivity
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench
from studio.workbench.process import ProcessWorkbench
from tests.gui.conftest import measured

_SECONDS = 240_000


@pytest.mark.slow
def test_sensitivity_outlives_its_worker(
    qtbot: QtBot, look: Look, sample: object, sample_data: object
) -> None:
    workbench, rows = ProcessWorkbench(LocalWorkbench), list[Sensitivity]()
    window = MainWindow(Session(workbench), look)
    qtbot.addWidget(window)
    window.show()
    window.bridge.open(str(sample), "sample", DataRef(str(sample_data), limit=48))
    qtbot.waitUntil(lambda: measured(window), timeout=_SECONDS)
    window.bridge.sensed.connect(rows.append)
    window.bridge.sense()
    qtbot.waitUntil(lambda: len(rows) >= 3, timeout=_SECONDS)
    victim = workbench.pid
    assert victim is not None
    os.kill(victim, signal.SIGKILL)

    notice = window.edges.notice
    qtbot.waitUntil(lambda: "restarted" in notice.text, timeout=_SECONDS)
    assert notice.isVisible()
    assert window.bridge.busy(SENSE)
    qtbot.waitUntil(lambda: rows[0] in rows[3:] and len(set(map(_place, rows))) > 4, timeout=_SECONDS)
    again = rows.index(rows[0], 3)
    assert rows[again : again + 3] == rows[:3]  # kept rows, to the last digit: they are not measured anew
    assert workbench.pid not in (None, victim)

    window.bridge.cancel(SENSE)
    qtbot.waitUntil(lambda: not window.bridge.busy(SENSE), timeout=_SECONDS)
    assert len(window.bridge.session.state.sensitivity) >= 3
    window.close()


def _place(row: Sensitivity) -> tuple[str, str]:
    return row.group, row.setting
