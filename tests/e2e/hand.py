"""A user's hand and eye on a real window: every click and key goes through the X server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtWidgets import QWidget

from studio.gui.looks import shots

_STEPS, _STEP_MS = 14, 18


def xdo(*words: object) -> None:
    """One command of xdotool."""
    subprocess.run(["xdotool", *map(str, words)], check=True)


def middle(widget: QWidget) -> QPoint:
    """The middle of a widget on the screen."""
    return widget.mapToGlobal(widget.rect().center())


def move(where: QPoint | QPointF) -> None:
    xdo("mousemove", round(where.x()), round(where.y()))
    shots.settle(_STEP_MS)


def click(where: QWidget | QPoint, modifier: str = "") -> None:
    """A press and release of the left button, with `modifier` held where one is named."""
    move(middle(where) if isinstance(where, QWidget) else where)
    if modifier:
        xdo("keydown", modifier)
    xdo("click", 1)
    shots.settle(120)
    if modifier:
        xdo("keyup", modifier)
        shots.settle(60)


def choose(opener: QWidget, place: int) -> None:
    """Open the menu of a button and take its entry `place` by keyboard.

    In one command beside this program: an open menu has an event loop of its own.
    """
    where = middle(opener)
    keys = ["sleep", "0.15", "key", "Down"] * (place + 1)
    words = [
        "mousemove",
        where.x(),
        where.y(),
        "click",
        1,
        "sleep",
        0.6,
        *keys,
        "sleep",
        0.3,
        "key",
        "Return",
    ]
    busy = subprocess.Popen(["xdotool", *map(str, words)])
    while busy.poll() is None:
        shots.settle(50)
    shots.settle(150)


def drag(start: QPoint, end: QPoint, slowly: int = 1) -> None:
    """Press at `start`, move in small steps, let go at `end`."""
    move(start)
    xdo("mousedown", 1)
    shots.settle(60 * slowly)
    path = QPointF(end - start)
    for step in range(1, _STEPS + 1):
        move(QPointF(start) + path * (step / _STEPS))
        shots.settle(_STEP_MS * slowly)
    shots.settle(120 * slowly)
    xdo("mouseup", 1)
    shots.settle(120)


def key(*names: str) -> None:
    for name in names:
        xdo("key", name)
        shots.settle(150)


def write(text: str) -> None:
    """Type into what has the focus."""
    xdo("type", "--delay", 6, text)
    shots.settle(150)


def picture(folder: Path, name: str) -> None:
    """The whole screen as it is now, where ImageMagick is there to take it."""
    if shutil.which("import"):
        subprocess.run(["import", "-window", "root", str(folder / f"{name}.png")], check=True)
