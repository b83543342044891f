"""Pictures of the window, rendered without a screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from studio.errors import WorkerError
from studio.gui.main_window import MainWindow
from studio.gui.plots.page import PlotsPage

SIZE = (1500, 940)
_DRESSED = 20.0  # seconds: a theme comes in turns of the loop


def render(window: MainWindow, path: Path | str, size: tuple[int, int] = SIZE) -> Path:
    """Draw the window as it is now into the PNG file `path`; returns the path."""
    window.resize(*size)
    window.show()
    settle(80)
    wait(window.updatesEnabled, _DRESSED, "the theme")
    for plot in window.page.of(PlotsPage).all():
        plot.draw()
    settle(40)
    window.grab().save(str(path))
    return Path(path)


def settle(milliseconds: int) -> None:
    """Let the window work for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Let the window work until `true`; raises `WorkerError` where `seconds` ran out first."""
    until = monotonic() + seconds
    while not true():
        if monotonic() > until:
            raise WorkerError(what, f"did not come within {seconds:g} s", "Look at the messages above.")
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        settle(10)
