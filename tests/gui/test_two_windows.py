"""Two windows are two programs: settings, snapshots and projects of the one are safe from the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.control import Control
from studio.errors import ProjectError
from studio.gui.keep import another, preferences
from studio.gui.main_window import MainWindow
from studio.project import store
from studio.recipe.settings import Settings
from studio.session.session import Session

_SECONDS = 120_000
_OTHER = """
import sys
from studio.gui import app
from studio.gui.looks import shots
from studio.recipe.settings import Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench
application = app.application()
window = app.build(Session(LocalWorkbench(threads=1)))
session, kept = window.bridge.session, window.keeper.recovery
print(len(kept.lost()))
window.open_path(sys.argv[1])
shots.wait(lambda: session.document is not None, 100, "the project")
window.bridge.edit(("b",), Settings(bits=4))
shots.wait(lambda: (kept.path(session.state.opening) / "project.json").is_file(), 60, "the snapshot")
print(repr(session.state.project), window.edges.notice.text, sep="|")
window.close()
"""


def _open(window: MainWindow, qtbot: QtBot, path: Path) -> None:
    before = window.bridge.session.state.opening
    window.open_path(str(path))
    qtbot.waitUntil(lambda: window.bridge.session.state.opening != before, timeout=_SECONDS)


def _other(path: Path) -> str:
    """What another program says that opens `path` and edits it."""
    done = subprocess.run(
        [sys.executable, "-c", _OTHER, str(path)], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_project_open_in_another_program_is_opened_as_a_copy(
    window: MainWindow, qtbot: QtBot, net: Path, tmp_path: Path
) -> None:
    _open(window, qtbot, net)
    window.bridge.edit(("a",), Settings(bits=8))
    folder = window.bridge.session.save(tmp_path / "work.trimtab").value
    kept = window.keeper.recovery
    qtbot.waitUntil((kept.path(window.bridge.session.state.opening) / "owner.json").is_file, timeout=_SECONDS)
    reader = Session(window.bridge.session.workbench)  # as the command line: it writes nothing by itself
    reader.open(folder, Control())
    assert reader.state.project == str(folder)
    said = _other(folder).splitlines()
    assert said[0] == "0"  # our snapshot is not lost work
    assert said[1].startswith("''|work.trimtab is open in another window")
    assert [step.label for step in store.load(folder).steps] == ["open", "a: bits 8"]
    (lost,) = kept.lost()
    assert lost.steps == 2
    window.close()
    assert _other(folder).splitlines()[1].startswith(f"'{folder}'|")
    assert store.load(folder).steps[-1].label == "b: bits 4"


@pytest.mark.slow
def test_what_another_window_keeps_cannot_be_saved_over(
    window: MainWindow, qtbot: QtBot, net: Path, tmp_path: Path
) -> None:
    _open(window, qtbot, net)
    folder = tmp_path / "theirs.trimtab"
    folder.mkdir()
    script = (
        "import sys; from pathlib import Path; from studio.project.claim import Claim; "
        "held = Claim(); held.take(Path(sys.argv[1])); "
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ProjectError, match="another window"):
            window.bridge.session.save(folder)
        other.kill()
    window.bridge.session.save(folder)
    assert (folder / store.PROJECT).is_file()


@pytest.mark.slow
def test_a_new_window_opens_what_it_is_given_and_both_remember(
    window: MainWindow, qtbot: QtBot, net: Path, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    process = another.window(str(sample))
    assert process > 0
    try:
        qtbot.waitUntil(lambda: str(sample) in preferences.read().recent, timeout=_SECONDS)
        _open(window, qtbot, net)
        qtbot.waitUntil(lambda: str(net) in preferences.read().recent, timeout=_SECONDS)
        assert str(sample) in preferences.read().recent
    finally:
        os.kill(process, signal.SIGTERM)
