"""The user's session, second half: a board over a real sshd on this computer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import hand
import msgspec
from sshd import Sshd

from studio.gui.boards.add import AddBoard
from studio.gui.looks import shots

if TYPE_CHECKING:
    from user_session import User


def board_story(user: User) -> None:
    """Add, trust, push, confirm, push another, roll back, switch, time, delete; then a changed key."""
    folder = user.folder / "board"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    server = Sshd(folder, options=(f"SetEnv HOME={folder}/home PATH={path}",)).start()
    try:
        add(user, server)
        trust(user, server)
        releases(user)
        tend(user)
        changed(user, server)
    finally:
        server.stop()


def add(user: User, server: Sshd) -> None:
    panel = user.window.page.boards
    hand.key("ctrl+b")
    user.wait(lambda: panel.chosen == "this-computer" and panel.detail.push.isEnabled(), "the board list")
    hand.click(panel._tools["add"])
    dialog = panel.findChild(AddBoard)
    assert dialog is not None
    typed = {"name": "loop", "host": "127.0.0.1", "key_path": str(server.key)}
    for name, text in typed.items():
        hand.click(dialog.fields[name])
        hand.write(text)
    hand.click(dialog.port)
    hand.write(str(server.port))
    user.saw("add dialog")
    hand.click(dialog.accept_button)
    user.wait(lambda: panel.chosen == "loop", "the board in the list")
    _keep_inside(user, server)
    user.wait(lambda: panel.detail.trust.isVisible(), "the host key")


def _keep_inside(user: User, server: Sshd) -> None:
    """The server logs in to this computer's own home: the releases go into the test's folder instead."""
    loop = next(board for board in user.session.board_list() if board.name == "loop")
    user.session.board_add(msgspec.structs.replace(loop, folder=str(server.home / "trimtab")), replace=True)


def trust(user: User, server: Sshd) -> None:
    box = user.window.page.boards.detail.trust
    shown = fingerprint(server)
    assert shown in box.text
    assert not user.window.page.boards.detail.push.isEnabled()
    user.saw(f"host key: {shown}")
    _press(user, box.button)
    user.wait(user.window.page.boards.detail.push.isEnabled, "the trusted board")


def releases(user: User) -> None:
    """Two pushes, the first confirmed, the second rolled back."""
    detail = user.window.page.boards.detail
    _press(user, detail.push)
    user.wait(lambda: "equal on" in detail.text, "the first push")
    user.saw(f"pushed: {detail.text.splitlines()[0]}")
    _press(user, detail.confirm)
    user.wait(lambda: detail.state.text() == "confirmed", "the confirmation")
    hand.key("ctrl+z")
    user.measured()
    _press(user, detail.push)
    user.wait(lambda: len(detail.releases.rows) >= 2 and detail.rollback.isEnabled(), "the second push")
    user.saw("second release")
    _press(user, detail.rollback)
    user.wait(lambda: "failed" in detail.releases.text, "the rollback")
    user.saw(f"rolled back: {detail.releases.text.splitlines()[1]}")


def tend(user: User) -> None:
    """The buttons of a release: switch to it and back, time it, delete it."""
    detail = user.window.page.boards.detail
    active, failed = _id(user, "active"), _id(user, "failed")
    _press_release(user, failed, "activate")
    user.wait(lambda: _id(user, "active") == failed, "the other release")
    user.saw("switched")
    _press(user, detail.rollback)
    user.wait(lambda: _id(user, "active") == active, "the first release")
    _press_release(user, failed, "bench")
    user.wait(lambda: "p95" in detail.text, "the times")
    user.saw("timed on the board")
    _press_release(user, failed, "delete")
    hand.key("Tab")
    user.saw("asked before deleting")
    ask = user.window.page.boards.question
    assert ask is not None
    hand.click(ask.buttons()[0] if ask.buttons()[0].text() == "Delete" else ask.buttons()[1])
    user.wait(lambda: detail.releases.row(failed) is None, "the release gone")
    user.saw("deleted")


def changed(user: User, server: Sshd) -> None:
    """As after flashing the card anew: refused, with both fingerprints; replaced on purpose only."""
    panel = user.window.page.boards
    old = fingerprint(server)
    server.new_host_key()
    hand.click(panel._tools["refresh"])
    user.wait(lambda: panel.detail.trust.isVisible(), "the changed key")
    text = panel.detail.trust.text
    assert "Refused" in text
    assert old in text
    assert fingerprint(server) in text
    assert not panel.detail.push.isEnabled()
    user.saw("changed key refused")


def fingerprint(server: Sshd) -> str:
    """As ssh-keygen prints it."""
    command = ["ssh-keygen", "-lf", str(server.folder / "host_key.pub")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[1]


def _press(user: User, button: object) -> None:
    user.wait(button.isEnabled, "a button to press")  # type: ignore[attr-defined]  # a QPushButton
    user.window.page.boards.scroller.ensureWidgetVisible(button)  # type: ignore[arg-type]
    shots.settle(100)
    hand.click(button)  # type: ignore[arg-type]


def _press_release(user: User, release: str, verb: str) -> None:
    row = user.window.page.boards.detail.releases.row(release)
    assert row is not None
    _press(user, row.buttons[verb])


def _id(user: User, state: str) -> str:
    rows = user.window.page.boards.detail.releases.rows
    return next((row.release.id for row in rows if row.release.state == state), "")
