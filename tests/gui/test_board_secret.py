"""Passwords and passphrases asked for in the window, over a real sshd: right, wrong, declined, given up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from studio.boards.links.asking import Answer, Question
from studio.control import Control
from studio.gui.boards.secret import SecretBox
from studio.gui.looks.theme import Look
from studio.gui.main_window import MainWindow
from studio.gui.questions import Asked, Questions, Settled
from tests.e2e.sshd import Sshd, keygen, missing, password_login

_SECONDS = 60_000
_SECRET = "open sesame"
_real = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    monkeypatch.setenv("SSH_AUTH_SOCK", "")
    made = Sshd(tmp_path / "board", options=("PasswordAuthentication yes",)).start()
    yield made
    made.stop()


@pytest.fixture
def locked(server: Sshd, tmp_path: Path) -> Path:
    """A key with a passphrase, the only one that the server takes."""
    made = keygen(tmp_path / "locked", passphrase=_SECRET)
    shutil.copy(f"{made}.pub", server.folder / "authorized_keys")
    return made


@pytest.fixture
def asked(window: MainWindow, qtbot: QtBot, server: Sshd, locked: Path) -> SecretBox:
    """The question for the passphrase of a board's key, as it stands after trusting its host key."""
    _know(window, qtbot, server, key_path=str(locked))
    return window.page.boards.secret


def _know(window: MainWindow, qtbot: QtBot, server: Sshd, user: str = "", key_path: str = "") -> None:
    panel, session = window.page.boards, window.bridge.session
    window.actions_["boards"].setChecked(True)
    qtbot.waitUntil(lambda: panel.chosen == "this-computer", timeout=_SECONDS)
    panel.deeds.add("loop", "127.0.0.1", server.port, user, key_path)
    qtbot.waitUntil(panel.detail.trust.isVisible, timeout=_SECONDS)
    loop = next(board for board in session.board_list() if board.name == "loop")
    folder = "board" if user else str(server.home / "trimtab")
    session.board_add(msgspec.structs.replace(loop, folder=folder), replace=True)
    panel.detail.trust.button.click()
    qtbot.waitUntil(panel.secret.isVisible, timeout=_SECONDS)


def _type(box: SecretBox, qtbot: QtBot, text: str) -> None:
    qtbot.keyClicks(box.field, text)
    qtbot.keyClick(box.field, Qt.Key.Key_Return)


@_real
@pytest.mark.slow
def test_a_wrong_passphrase_is_asked_again_and_the_right_one_logs_in(
    window: MainWindow, qtbot: QtBot, asked: SecretBox, locked: Path
) -> None:
    detail = window.page.boards.detail
    assert asked.text == f"Passphrase of the key for loop\n{locked}"
    assert asked.field.echoMode() == QLineEdit.EchoMode.Password
    assert asked.field.hasFocus()
    _type(asked, qtbot, "wrong")
    qtbot.waitUntil(lambda: "That was wrong." in asked.text, timeout=_SECONDS)
    assert asked.field.text() == ""
    _type(asked, qtbot, _SECRET)
    qtbot.waitUntil(lambda: detail.state.text() == "no release", timeout=_SECONDS)
    assert asked.isHidden()
    assert asked.field.text() == ""


@_real
@pytest.mark.slow
def test_esc_declines_and_looking_again_asks_again(
    window: MainWindow, qtbot: QtBot, asked: SecretBox
) -> None:
    panel = window.page.boards
    with qtbot.waitSignal(window.bridge.ended, timeout=_SECONDS) as ended:
        _decline_all(asked, qtbot)
    assert "the login was refused" in str(ended.args[0].error)
    assert panel.detail.state.text().startswith("Not logged in.")
    panel.look_again()
    qtbot.waitUntil(asked.isVisible, timeout=_SECONDS)
    assert "loop" in asked.text


def _decline_all(box: SecretBox, qtbot: QtBot) -> None:
    """The passphrase, then the password for which the server asks instead."""
    qtbot.keyClick(box.field, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: box.text.startswith("Password for loop"), timeout=_SECONDS)
    qtbot.keyClick(box.field, Qt.Key.Key_Escape)


@_real
@pytest.mark.slow
def test_another_choice_or_a_stopped_job_gives_the_question_up(
    window: MainWindow, qtbot: QtBot, asked: SecretBox
) -> None:
    panel = window.page.boards
    panel.list.setCurrentRow(0)
    qtbot.waitUntil(lambda: "memory free" in panel.detail.card.text, timeout=_SECONDS)
    assert asked.isHidden()
    tickets: list[int] = []
    window.bridge.started.connect(lambda _lane, _label, ticket: tickets.append(ticket))
    window.actions_["boards"].setChecked(False)
    window.bridge.open_release("loop")
    qtbot.waitUntil(asked.isVisible, timeout=_SECONDS)
    with qtbot.waitSignal(window.bridge.ended, timeout=_SECONDS) as ended:
        window.bridge.cancel_job(tickets[-1])
    assert ended.args[0].cancelled
    assert asked.isHidden()


@_real
@pytest.mark.slow
def test_a_window_closes_over_an_open_question(window: MainWindow, qtbot: QtBot, asked: SecretBox) -> None:
    window.close()  # threads left running fail the test
    assert not window.bridge.busy("board-look")


@pytest.fixture
def login() -> Iterator[tuple[str, str]]:
    with password_login() as made:
        yield made


@_real
@pytest.mark.slow
def test_a_password_logs_in_after_a_wrong_one(
    window: MainWindow, qtbot: QtBot, server: Sshd, login: tuple[str, str]
) -> None:
    _know(window, qtbot, server, user=login[0])
    panel = window.page.boards
    assert panel.secret.text == f"Password for loop\n{login[0]}@127.0.0.1:{server.port}"
    _type(panel.secret, qtbot, "wrong")
    qtbot.waitUntil(lambda: "That was wrong." in panel.secret.text, timeout=_SECONDS)
    _type(panel.secret, qtbot, login[1])
    qtbot.waitUntil(lambda: panel.detail.state.text() == "no release", timeout=_SECONDS)
    book = window.bridge.session.boards.book.path
    assert login[1] not in book.read_text()


def _question(kind: Literal["password", "passphrase"] = "passphrase", can_keep: bool = False) -> Question:
    return Question(kind, "pi", "~/.ssh/id", can_keep=can_keep)


@pytest.fixture
def box(qtbot: QtBot, look: Look) -> SecretBox:
    made = SecretBox(look)
    qtbot.addWidget(made)
    return made


def test_keys_alone_answer_and_nothing_typed_stays(box: SecretBox, qtbot: QtBot) -> None:
    heard: list[tuple[int, Answer | None]] = []
    box.answered.connect(lambda ticket, answer: heard.append((ticket, answer)))
    box.take(Asked(7, _question(can_keep=True)))
    assert not box.ok.isEnabled()
    QTest.keyClicks(box.field, "abc")
    assert box.field.displayText() != "abc"
    box.show_button.click()
    assert box.field.displayText() == "abc"
    box.keep.click()
    QTest.keyClick(box.keep, Qt.Key.Key_Return)
    assert heard == [(7, Answer("abc", keep=True))]
    assert box.isHidden()
    assert (box.field.text(), box.field.echoMode()) == ("", QLineEdit.EchoMode.Password)
    box.take(Asked(8, _question("password")))
    assert box.keep.isHidden()
    assert box.ok.isEnabled()
    QTest.keyClick(box.field, Qt.Key.Key_Escape)
    assert heard[1:] == [(8, None)]


def test_questions_stand_in_line(box: SecretBox) -> None:
    box.take(Asked(1, _question()))
    box.take(Asked(2, _question("password")))
    box.field.setText("half ty")
    assert box.text.startswith("Passphrase")
    box.settle(Settled(1))
    assert box.text.startswith("Password for pi")
    assert box.field.text() == ""
    box.settle(Settled(2))
    assert box.text == ""


def test_a_question_is_not_typed_into_by_accident(box: SecretBox, qtbot: QtBot) -> None:
    other = QLineEdit()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)
    box.take(Asked(1, _question()))
    assert other.hasFocus()


@pytest.mark.parametrize("ends", ["answer", "cancel", "close"])
def test_the_asking_thread_always_goes_on(ends: str) -> None:
    told: list[object] = []
    questions, control = Questions(told.append), Control()

    def act(value: object) -> None:
        told.append(value)
        if isinstance(value, Asked):
            deeds = {
                "answer": lambda: questions.answer(value.ticket, Answer("yes")),
                "cancel": control.cancel,
                "close": questions.close,
            }
            deeds[ends]()

    questions = Questions(act)
    with ThreadPoolExecutor(1) as pool:
        got = pool.submit(questions.of(lambda _: questions.ask(_question())), control).result(10)
    assert got == (Answer("yes") if ends == "answer" else None)
    assert told == [Asked(1, _question()), Settled(1)]
    if ends == "close":
        assert questions.ask(_question()) is None
        assert len(told) == 2
