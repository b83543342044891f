"""The keyboard on the canvas: arrows travel, Enter opens, the rest zooms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from studio.gui.graph import travel

if TYPE_CHECKING:
    from studio.gui.graph.canvas import Canvas

Key = Qt.Key
_STEP = 1.25
_WAYS = {
    Key.Key_Down: "down",
    Key.Key_Up: "up",
    Key.Key_Left: "left",
    Key.Key_Right: "right",
    Key.Key_Home: "first",
    Key.Key_End: "last",
}


def press(canvas: Canvas, event: QKeyEvent) -> bool:
    """Do what a key stands for; False where it stands for nothing here."""
    key = Key(event.key())
    if key in _WAYS and canvas.shown.scene is not None:
        box = travel.step(canvas.shown.scene, canvas.shown.current, _WAYS[key])
        if box is not None:
            canvas.pick.emit(box, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
            canvas.reveal(box)
        return True
    done = _PLAIN.get(key)
    if done is not None:
        done(canvas)
        return True
    current = canvas.shown.current
    if key in _ON_BOX and current is not None:
        _ON_BOX[key](canvas, current)
        return True
    return False


def _close_parent(canvas: Canvas, box: int) -> None:
    scene = canvas.shown.scene
    if scene is not None and scene.diagram.boxes[box].parent >= 0:
        canvas.toggle.emit(scene.diagram.boxes[box].parent)


def _open(canvas: Canvas, box: int) -> None:
    canvas.toggle.emit(box)


def _closer(canvas: Canvas) -> None:
    canvas.zoom(_STEP)


def _farther(canvas: Canvas) -> None:
    canvas.zoom(1 / _STEP)


def _true_size(canvas: Canvas) -> None:
    canvas.zoom(1 / canvas.camera.scale)


def _whole(canvas: Canvas) -> None:
    canvas.fit()


def _chosen(canvas: Canvas) -> None:
    canvas.show_boxes(canvas.shown.selected)


def _clear(canvas: Canvas) -> None:
    canvas.clear.emit()


def _search(canvas: Canvas) -> None:
    canvas.search.emit("")


_PLAIN: dict[Qt.Key, Callable[[Canvas], None]] = {
    Key.Key_Plus: _closer,
    Key.Key_Equal: _closer,
    Key.Key_Minus: _farther,
    Key.Key_0: _whole,
    Key.Key_1: _true_size,
    Key.Key_F: _chosen,
    Key.Key_Escape: _clear,
    Key.Key_Slash: _search,
}
_ON_BOX: dict[Qt.Key, Callable[[Canvas, int], None]] = {
    Key.Key_Return: _open,
    Key.Key_Enter: _open,
    Key.Key_Space: _open,
    Key.Key_Backspace: _close_parent,
}
