"""The board panel over a real sshd: push, keep running, read the live log, stop, open what it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from studio.gui.boards.panel import BoardPanel
from studio.gui.main_window import MainWindow
from studio.recipe.settings import Settings
from tests.e2e.sshd import Sshd, missing

_SECONDS = 120_000
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    folder = tmp_path / "board"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    made = Sshd(folder, options=(f"SetEnv HOME={folder}/home PATH={path}",)).start()
    yield made
    made.stop()


def test_a_release_is_kept_running_and_its_log_is_live(
    window: MainWindow, qtbot: QtBot, server: Sshd, net: Path
) -> None:
    session, panel = window.bridge.session, window.page.boards
    window.files.open(str(net))
    qtbot.waitUntil(lambda: session.document is not None, timeout=_SECONDS)
    window.bridge.edit(("*",), Settings(bits=8))
    _known(window, qtbot, server)
    panel.detail.push.click()
    qtbot.waitUntil(lambda: "equal on" in panel.detail.text, timeout=_SECONDS)
    qtbot.waitUntil(panel.detail.confirm.isEnabled, timeout=_SECONDS)
    panel.detail.confirm.click()
    qtbot.waitUntil(lambda: panel.detail.state.text() == "confirmed", timeout=_SECONDS)
    qtbot.waitUntil(panel.detail.served.button.isEnabled, timeout=_SECONDS)
    _serve(panel, qtbot, server.home / "trimtab" / "serve.log")
    _open_it(window, qtbot)


def _known(window: MainWindow, qtbot: QtBot, server: Sshd) -> None:
    """The server in the list of boards, its key trusted by a click, its releases in the test's folder."""
    session, panel = window.bridge.session, window.page.boards
    window.actions_["boards"].setChecked(True)
    qtbot.waitUntil(lambda: panel.chosen == "this-computer", timeout=_SECONDS)
    panel.deeds.add("loop", "127.0.0.1", server.port, "", str(server.key))
    qtbot.waitUntil(lambda: panel.chosen == "loop", timeout=_SECONDS)
    loop = next(board for board in session.board_list() if board.name == "loop")
    session.board_add(msgspec.structs.replace(loop, folder=str(server.home / "trimtab")), replace=True)
    qtbot.waitUntil(panel.detail.trust.isVisible, timeout=_SECONDS)
    panel.detail.trust.button.click()
    qtbot.waitUntil(panel.detail.push.isEnabled, timeout=_SECONDS)


def _serve(panel: BoardPanel, qtbot: QtBot, log: Path) -> None:
    served = panel.detail.served
    served.button.click()
    qtbot.waitUntil(lambda: served.running and "outputs are right" in served.text, timeout=_SECONDS)
    assert panel.detail.stop.isEnabled()
    first = served.text
    qtbot.waitUntil(lambda: served.running and served.text != first, timeout=_SECONDS)
    assert not served.log.isVisible()  # the runner is silent while all is well
    with log.open("a") as file:
        file.write("the runner has something to say\n")
    qtbot.waitUntil(lambda: "something to say" in served.log.toPlainText(), timeout=_SECONDS)
    assert served.log.isVisible()
    panel.detail.stop.click()
    qtbot.waitUntil(lambda: not served.running, timeout=_SECONDS)
    qtbot.waitUntil(lambda: "Nothing is kept running there." in served.text, timeout=_SECONDS)


def _open_it(window: MainWindow, qtbot: QtBot) -> None:
    """The active release comes back as the file that was pushed, and is opened."""
    session = window.bridge.session
    before = session.state.opening
    window.bridge.open_release("loop")
    qtbot.waitUntil(lambda: session.state.opening != before, timeout=_SECONDS)
    assert Path(session.facts.path).parent.name == "loop"
