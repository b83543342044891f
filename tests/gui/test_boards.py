"""The board panel over real boards: this computer, and keys to be trusted or refused."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from studio.boards.links.hostkeys import HostKey
from studio.boards.report import BoardStatus, Release
from studio.gui.boards.add import AddBoard
from studio.gui.boards.releases import Releases
from studio.gui.boards.trust import TrustBox
from studio.gui.looks.theme import Look
from studio.gui.main_window import MainWindow

_SECONDS = 40_000
_PRINT = "SHA256:" + "a" * 43


def _key(state: str, known: str = "") -> HostKey:
    return HostKey("pi", "ssh-ed25519", _PRINT, state, "line", known)  # type: ignore[arg-type]  # a literal


@pytest.mark.slow
def test_the_push_runs_on_this_computer(opened: MainWindow, qtbot: QtBot) -> None:
    panel = opened.page.boards
    opened.actions_["boards"].setChecked(True)
    qtbot.waitUntil(
        lambda: panel.chosen == "this-computer" and panel.detail.push.isEnabled(), timeout=_SECONDS
    )
    assert "memory free" in panel.detail.card.text
    panel.detail.push.click()
    qtbot.waitUntil(lambda: "equal on" in panel.detail.text, timeout=_SECONDS)
    assert "p95" in panel.detail.text
    qtbot.waitUntil(panel.detail.confirm.isEnabled, timeout=_SECONDS)
    panel.detail.confirm.click()
    qtbot.waitUntil(lambda: panel.detail.state.text() == "confirmed", timeout=_SECONDS)


@pytest.mark.slow
def test_a_board_that_is_away_is_told(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.page.boards
    window.page.show_boards(True)
    qtbot.waitUntil(lambda: panel.chosen == "this-computer", timeout=_SECONDS)
    with qtbot.waitSignal(window.bridge.failed, timeout=_SECONDS):
        panel.deeds.add("nobody", "127.0.0.1", 1, "me", "")
    assert panel.chosen == "nobody"
    assert "nobody" in window.edges.notice.text or "127.0.0.1" in window.edges.notice.text
    assert not panel.detail.push.isEnabled()


def test_a_new_key_is_shown_before_it_is_trusted(qtbot: QtBot, look: Look) -> None:
    box = TrustBox(look)
    qtbot.addWidget(box)
    heard: list[tuple[str, bool]] = []
    box.trusted.connect(lambda key, replace: heard.append((key.fingerprint, replace)))
    box.show_key("pi", _key("new"))
    assert _PRINT in box.text
    QTest.mouseClick(box.button, Qt.MouseButton.LeftButton)
    assert heard == [(_PRINT, False)]


def test_a_changed_key_is_refused_until_it_is_replaced_on_purpose(qtbot: QtBot, look: Look) -> None:
    box = TrustBox(look)
    qtbot.addWidget(box)
    heard: list[bool] = []
    box.trusted.connect(lambda _, replace: heard.append(replace))
    box.show_key("pi", _key("changed", "SHA256:" + "b" * 43))
    assert "Refused" in box.text
    assert "b" * 43 in box.text
    QTest.mouseClick(box.button, Qt.MouseButton.LeftButton)
    assert heard == []
    ask = box.findChild(QMessageBox)
    assert ask is not None
    ask.button(QMessageBox.StandardButton.Yes).click()
    assert heard == [True]


def test_known_and_revoked_keys_offer_nothing(qtbot: QtBot, look: Look) -> None:
    box = TrustBox(look)
    qtbot.addWidget(box)
    box.show_key("pi", _key("known"))
    assert box.isHidden()
    box.show_key("pi", _key("revoked"))
    assert box.button.isHidden()


def test_the_dialog_sends_what_was_typed(qtbot: QtBot, look: Look) -> None:
    dialog = AddBoard()
    qtbot.addWidget(dialog)
    heard: list[tuple[object, ...]] = []
    dialog.wanted.connect(lambda *values: heard.append(values))
    assert not dialog.accept_button.isEnabled()
    for name, value in (("name", "pi"), ("host", "10.0.0.7"), ("user", "me")):
        dialog.fields[name].setText(value)
    dialog.port.setText("2222")
    dialog.fields["sign_key"].setText(" ~/.ssh/releases ")
    dialog.accept_button.click()
    assert heard == [("pi", "10.0.0.7", 2222, "me", "", "~/.ssh/releases")]


def _release(id: str, state: str) -> Release:
    return Release(id, 1, 290, "proved by 32 goldens", state)


def test_a_release_offers_what_can_be_done_with_it(qtbot: QtBot, look: Look) -> None:
    made = Releases(look)
    qtbot.addWidget(made)
    heard: list[tuple[str, str]] = []
    made.wanted.connect(lambda verb, release: heard.append((verb, release)))
    listed = (_release("new", "active"), _release("old", "previous"), _release("bad", "failed"))
    made.show_status(BoardStatus("pi", "confirmed", "new", "old", 0, "bad", listed))
    made.allow(True)
    free = {
        row.release.id: [verb for verb, each in row.buttons.items() if each.isEnabled()] for row in made.rows
    }
    every = ["open", "activate", "bench", "delete"]
    assert free == {"new": ["open", "bench"], "old": every[:3], "bad": every}
    made.rows[2].buttons["delete"].click()
    assert heard == [("delete", "bad")]
    made.allow(False)
    assert not any(button.isEnabled() for row in made.rows for button in row.buttons.values())
    assert made.text.splitlines()[:2] == ["new", "active  ·  297 KB  ·  proved by 32 goldens"]
