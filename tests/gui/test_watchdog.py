"""The watchdog names what keeps the GUI thread busy, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from studio.gui.watchdog import Blocked, Watchdog


@pytest.fixture
def seen() -> list[Blocked]:
    return []


@pytest.fixture
def dog(qtbot: QtBot, seen: list[Blocked]) -> Iterator[Watchdog]:
    made = Watchdog(seen.append, limit=0.1)
    qtbot.wait(50)
    seen.clear()
    yield made
    made.close()


def burn(seconds: float) -> int:
    """Keep the processor busy."""
    start, rounds = time.thread_time(), 0
    while time.thread_time() - start < seconds:
        rounds += sum(range(50))
    return rounds


@pytest.mark.slow
def test_a_long_turn_is_reported_with_its_stack(qtbot: QtBot, dog: Watchdog, seen: list[Blocked]) -> None:
    QTimer.singleShot(0, lambda: burn(0.4))
    qtbot.waitUntil(lambda: bool(seen))
    found = seen[0]
    assert found.milliseconds >= 400
    assert "in burn" in found.stack
    assert str(found).startswith("the window waited for 4")


def test_waiting_is_no_work(qtbot: QtBot, dog: Watchdog, seen: list[Blocked]) -> None:
    QTimer.singleShot(0, lambda: time.sleep(0.2))
    qtbot.wait(300)
    assert not seen


def test_many_short_turns_are_none_too_long(qtbot: QtBot, dog: Watchdog, seen: list[Blocked]) -> None:
    turns = []

    def turn() -> None:
        turns.append(burn(0.02))
        QTimer.singleShot(10, turn)

    turn()
    qtbot.waitUntil(lambda: len(turns) > 9)
    assert not seen


@pytest.mark.slow
def test_what_is_forgiven_is_not_reported(qtbot: QtBot, dog: Watchdog, seen: list[Blocked]) -> None:
    burn(0.3)
    dog.forgive()
    qtbot.wait(50)
    assert not seen
