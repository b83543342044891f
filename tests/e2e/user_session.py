"""`python user_session.py FOLDER`: a user does the whole job with mouse and keyboard, on a real screen.

Runs the program's own window with its worker process and a real sshd; prints each step that was seen
to work, and ends with a traceback at the first that was not. Pictures go into FOLDER.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import hand
from board_steps import board_story
from PySide6.QtCore import QPoint, QPointF, QRectF
from PySide6.QtWidgets import QFileDialog, QLineEdit

from studio.gui import app
from studio.gui.bridge import MEASURE, OPEN
from studio.gui.layers import track
from studio.gui.layers.model import ROW, Column
from studio.gui.looks import shots
from studio.gui.main_window import MainWindow

_SAMPLES = Path(__file__).parents[2] / "resources" / "samples"
_SECONDS, _SOON, _TRIES = 150.0, 15.0, 3
_WINDOW = (1500, 940)


class User:
    """Knows where things lie in the window; `folder` takes what is written."""

    def __init__(self, window: MainWindow, folder: Path) -> None:
        self.window, self.folder, self._count = window, folder, 0
        self.session, self.table = window.bridge.session, window.page.layers.view

    def saw(self, text: str) -> None:
        """A step is done: take a picture, and say so."""
        self._count += 1
        hand.picture(self.folder, f"{self._count:02d}-{text.split(':')[0].replace(' ', '-')}")
        print(text, flush=True)

    def wait(self, true: object, what: str) -> None:
        shots.wait(true, _SECONDS, what)  # type: ignore[arg-type]  # a callable

    def soon(self, true: Callable[[], bool]) -> bool:
        """Whether it comes true within a while."""
        until = monotonic() + _SOON
        while not true() and monotonic() < until:
            shots.settle(50)
        return true()

    def measured(self) -> None:
        """Wait until the present state has its figures."""
        shots.settle(200)
        self.wait(self._rested, "the figures")

    def _rested(self) -> bool:
        done = self.session.measured
        return done is not None and done.comparison is not None and not self.window.bridge.busy(MEASURE)

    @property
    def steps(self) -> int:
        return len(self.session.journal.steps)

    def spot(self, row: int, column: Column, share: float | None = None) -> QPoint:
        """A place on a slider (`None`: its handle), or the middle of another cell, on the screen."""
        index = self.table.proxy.index(row, column)
        self.table.scrollTo(index)
        cell = QRectF(self.table.visualRect(index))
        if column not in (Column.BITS, Column.SPARSITY):
            return self.table.viewport().mapToGlobal(cell.center().toPoint())
        line = track.track(cell)
        share = track.position(index.data(ROW), column) if share is None else share
        return self.table.viewport().mapToGlobal(
            QPointF(line.left() + share * line.width(), line.center().y()).toPoint()
        )

    def row(self, place: int) -> object:
        return self.table.proxy.index(place, 0).data(ROW)

    def type_path(self, path: Path) -> None:
        """Answer the open file dialog."""
        dialog = self.window.findChild(QFileDialog)
        assert dialog is not None
        field = dialog.findChild(QLineEdit)
        assert field is not None
        hand.click(field)
        hand.key("ctrl+a")
        hand.write(str(path))
        hand.key("Return")
        if self.window.findChild(QFileDialog) is not None:  # the first went to the list of completions
            hand.key("Return")
        shots.settle(300)
        self.window.activateWindow()  # as a window manager would; a bare screen gives the keys to nobody
        shots.settle(300)


def drop_files(user: User) -> None:
    """Drag model and data in from another program's window."""
    files = [str(_SAMPLES / name) for name in ("fashion.onnx", "fashion.npz")]
    source = Path(__file__).with_name("drag_source.py")
    command = [sys.executable, str(source), "1580", "120", *files]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "shown\n"
        shots.settle(1000)
        for _ in range(_TRIES):  # on a busy computer a drop may miss, as it does by hand
            hand.drag(QPoint(1680, 180), hand.middle(user.window.start.zone), slowly=3)
            if user.soon(lambda: user.session.document is not None or user.window.bridge.busy(OPEN)):
                break
        user.wait(lambda: user.session.document is not None and user.session.document.data, "the model")
    finally:
        program.terminate()
        program.wait()
    user.measured()
    assert user.session.document is not None
    user.saw(f"dropped: {user.window.edges.toolbar.title.text()}")


def slide(user: User) -> None:
    """One bits slider and one sparsity slider, each one step of undo, figures following."""
    seen: set[str] = set()
    user.table.edited.connect(lambda *_: seen.add(user.window.page.cards.size.face.value))
    before = user.steps
    hand.drag(user.spot(1, Column.BITS), user.spot(1, Column.BITS, 0.7))
    assert user.steps == before + 1, "a drag is one step"
    assert user.session.plan().layers[1].bits < 8
    user.measured()
    assert user.window.page.cards.size.face.value != "1.10 MB"
    user.saw(f"bits slider: {user.session.plan().layers[1].bits} bits, {len(seen)} sizes seen on the way")
    hand.drag(user.spot(4, Column.SPARSITY), user.spot(4, Column.SPARSITY, 0.5))
    assert user.steps == before + 2, "a drag is one step"
    assert user.session.plan().layers[4].sparsity > 0.2
    user.measured()
    user.saw(f"sparsity slider: {user.window.page.cards.difference.face.value}")


def many(user: User) -> None:
    """Four rows at once; then a preset from its menu."""
    hand.click(user.spot(5, Column.NAME))
    hand.click(user.spot(8, Column.NAME), "shift")
    assert len(user.table.names()) == 4
    before = user.steps
    hand.drag(user.spot(6, Column.BITS), user.spot(6, Column.BITS, 0.22))
    bits = {user.session.plan().of(name).bits for name in user.table.names()}
    assert (len(bits), user.steps) == (1, before + 1)
    user.saw(f"many rows: four layers at {bits.pop()} bits")
    menu = user.window.edges.toolbar.presets
    opener = next(button for button, glyph in user.window.edges.toolbar._glyphs if glyph == "presets")
    hand.choose(opener, [action.text() for action in menu.actions()].index("int8"))
    assert {layer.bits for layer in user.session.plan().layers} == {8}
    user.measured()
    user.saw(f"preset: {user.window.page.cards.size.face.value}")


def undo(user: User) -> None:
    """Undo and redo by key."""
    label = user.session.recipe
    hand.key("ctrl+z", "ctrl+z")
    assert user.session.recipe != label
    at = user.session.journal.at
    hand.key("ctrl+shift+z", "ctrl+shift+z")
    assert (user.session.journal.at, user.session.recipe) == (at + 2, label)
    user.measured()
    user.saw("undo and redo")


def export(user: User) -> None:
    """The exported file is the measured one."""
    out = user.folder / "exported.onnx"
    hand.key("ctrl+e")
    user.type_path(out)
    user.wait(lambda: "Exported" in user.window.edges.notice.text, "the exported file")
    assert user.session.artifact is not None
    assert hashlib.sha256(out.read_bytes()).hexdigest() == user.session.artifact.sha256
    user.saw(f"export: {user.window.edges.notice.text}")


def main(folder: Path) -> None:
    application = app.application()
    window = app.build()
    window.setGeometry(10, 40, *_WINDOW)
    window.show()
    shots.settle(800)
    window.activateWindow()
    user = User(window, folder)
    try:
        user.saw(f"start: on {os.environ['DISPLAY']}")
        for step in (drop_files, slide, many, undo, export, board_story):
            step(user)
    except BaseException:
        hand.picture(folder, "failed")
        print(window.edges.foot.text, window.edges.notice.text, window.page.boards.detail.text, sep="\n")
        raise
    finally:
        window.close()
        application.processEvents()
    print("the whole session", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
