"""Work cut into turns: one step a turn, in order, and a newer wish takes the place of what waits."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from studio.gui.turns import Turns


def test_input_comes_in_between_and_the_newest_wish_counts(qtbot: QtBot) -> None:
    turns, done = Turns(), list[str]()
    QTimer.singleShot(0, lambda: done.append("input"))
    turns.take(
        [lambda: done.append("a"), lambda: turns.take([lambda: done.append("c")]), lambda: done.append("b")]
    )
    assert done == []
    qtbot.waitUntil(lambda: not turns.busy and "c" in done)
    assert done.index("input") < done.index("c")
    assert [each for each in done if each != "input"] == ["a", "c"]
