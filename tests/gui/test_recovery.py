"""Kill -9 of a real window: what was edited before the last half second is offered at the next start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.data.reference import DataRef
from studio.gui.looks.theme import Look
from studio.gui.main_window import MainWindow
from studio.gui.welcome.lost import LostWork
from studio.project import store
from studio.recipe.settings import Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

_SECONDS = 240_000
_WINDOW = """
import os, signal, sys
from studio.gui import app
from studio.gui.looks import shots
from studio.recipe.settings import Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench
application = app.application()
window = app.build(Session(LocalWorkbench()))
window.bridge.open(sys.argv[1], "sample")
session, kept = window.bridge.session, window.keeper.recovery
shots.wait(lambda: session.document is not None, 200, "the sample")
window.bridge.edit(("down1/conv",), Settings(bits=4))
shots.wait(lambda: (kept.path(session.state.opening) / "project.json").is_file(), 60, "the snapshot")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_an_edit_survives_kill_9_of_the_window(
    qtbot: QtBot, look: Look, engine: LocalWorkbench, sample: Path
) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    died = subprocess.run([sys.executable, "-c", _WINDOW, str(sample)], env=environment, timeout=400)
    assert died.returncode == -9
    window = MainWindow(Session(engine), look)
    qtbot.addWidget(window)
    window.show()
    assert [each.model for each in window.keeper.recovery.lost()] == ["fashion.onnx"]
    offer = window.start.findChild(LostWork)
    assert offer is not None
    assert offer.isVisible()
    (lost,) = window.keeper.recovery.lost()
    offer.wanted.emit(str(lost.path))
    session = window.bridge.session
    qtbot.waitUntil(lambda: session.document is not None, timeout=_SECONDS)
    assert session.plan().of("down1/conv").bits == 4
    assert [step.label for step in session.journal.steps] == ["open", "down1/conv: bits 4"]
    assert session.state.project == ""
    window.close()


@pytest.mark.slow
def test_a_project_that_is_open_is_saved_by_itself(
    opened: MainWindow, qtbot: QtBot, tmp_path: Path, sample_data: Path
) -> None:
    session = opened.bridge.session
    folder = session.save(tmp_path / "mine.trimtab").value
    before = (folder / "project.json").stat().st_mtime_ns
    opened.bridge.apply_preset("int8")
    qtbot.waitUntil(lambda: (folder / "project.json").stat().st_mtime_ns != before, timeout=_SECONDS)
    assert session.document is not None
    assert session.document.data is not None
    assert session.document.data.ref == DataRef(str(sample_data), limit=200)
    opened.close()
    assert opened.keeper.recovery.lost() == ()


@pytest.mark.slow
def test_the_last_edit_before_the_end_is_in_the_project(opened: MainWindow, tmp_path: Path) -> None:
    folder = opened.bridge.session.save(tmp_path / "last.trimtab").value
    opened.bridge.apply_preset("int8")
    opened.close()
    assert store.load(folder).steps[-1].label == "preset int8"
    assert not opened.keeper.recovery.path(opened.bridge.session.state.opening).exists()


@pytest.mark.slow
def test_a_project_that_cannot_be_written_leaves_the_snapshot(opened: MainWindow, tmp_path: Path) -> None:
    folder = opened.bridge.session.save(tmp_path / "gone.trimtab").value
    shutil.rmtree(folder)
    folder.write_text("no folder any more")
    opened.bridge.apply_preset("int8")
    opened.close()
    assert (
        store.load(opened.keeper.recovery.path(opened.bridge.session.state.opening)).steps[-1].label
        == "preset int8"
    )


@pytest.mark.slow
def test_another_model_leaves_the_snapshot_of_the_one_before(
    opened: MainWindow, qtbot: QtBot, sample: Path
) -> None:
    session, recovery = opened.bridge.session, opened.keeper.recovery
    first = session.state.opening
    opened.bridge.apply_preset("int8")
    qtbot.waitUntil((recovery.path(first) / "owner.json").is_file, timeout=_SECONDS)
    opened.bridge.open(str(sample), "again")
    qtbot.waitUntil(lambda: session.state.opening != first, timeout=_SECONDS)
    opened.close()
    assert store.load(recovery.path(first)).steps[-1].label == "preset int8"
    assert not recovery.path(session.state.opening).exists()


@pytest.mark.slow
def test_an_edit_just_before_another_model_opens_is_kept(
    window: MainWindow, qtbot: QtBot, net: Path, tmp_path: Path
) -> None:
    session, recovery = window.bridge.session, window.keeper.recovery
    window.keeper._timer.setInterval(3_600_000)  # the snapshot of an edit never comes by itself
    _open_and_wait(window, qtbot, net)
    first, folder = session.state.opening, session.save(tmp_path / "first.trimtab").value
    window.bridge.edit(("a",), Settings(bits=8))
    _open_and_wait(window, qtbot, net)
    qtbot.waitUntil(lambda: store.load(folder).steps[-1].label == "a: bits 8", timeout=_SECONDS)
    window.bridge.edit(("b",), Settings(bits=4))
    second = session.state.opening
    _open_and_wait(window, qtbot, net)
    qtbot.waitUntil((recovery.path(second) / "recipe.json").is_file, timeout=_SECONDS)
    window.close()
    assert store.load(recovery.path(second)).steps[-1].label == "b: bits 4"
    assert not recovery.path(first).exists()


@pytest.mark.slow
def test_an_edit_just_before_the_end_is_offered_next_time(
    window: MainWindow, qtbot: QtBot, net: Path
) -> None:
    window.keeper._timer.setInterval(3_600_000)
    _open_and_wait(window, qtbot, net)
    window.bridge.edit(("a",), Settings(bits=8))
    window.close()
    kept = window.keeper.recovery.path(window.bridge.session.state.opening)
    assert store.load(kept).steps[-1].label == "a: bits 8"


def _open_and_wait(window: MainWindow, qtbot: QtBot, path: Path) -> None:
    before = window.bridge.session.state.opening
    window.files.open(str(path))
    qtbot.waitUntil(lambda: window.bridge.session.state.opening != before, timeout=_SECONDS)
