"""Run as a module with PROJECT and FOLDER: pictures of the window with the project open, in both themes."""

from __future__ import annotations

import sys
from pathlib import Path

from studio.gui import app
from studio.gui.bridge import MEASURE
from studio.gui.looks import shots
from studio.gui.main_window import MainWindow
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

THEMES = ("light", "dark")
_SECONDS = 90.0
_SETTLED_MS = 400


def take(project: Path, folder: Path) -> list[Path]:
    """Write `window-light.png` and `window-dark.png` into `folder`.

    Raises `WorkerError` where the project is not open and measured within 90 s.
    """
    application = app.application()
    window = app.build(Session(LocalWorkbench()))
    try:
        window.bridge.open(str(project), project.name)
        shots.wait(lambda: _measured(window), _SECONDS, "the measured project")
        shots.settle(_SETTLED_MS)  # the window measures what it opened once more, after a moment of rest
        shots.wait(lambda: _measured(window), _SECONDS, "the measured project")
        shots.settle(_SETTLED_MS)
        _select_largest(window)
        return [_picture(window, theme, folder) for theme in THEMES]
    finally:
        window.close()
        application.processEvents()


def _measured(window: MainWindow) -> bool:
    session = window.bridge.session
    return session.document is not None and session.measured is not None and not window.bridge.busy(MEASURE)


def _select_largest(window: MainWindow) -> None:
    layers, view = window.bridge.session.facts.layers, window.page.layers.view
    largest = max(range(len(layers)), key=lambda row: layers[row].params)
    view.setCurrentIndex(view.proxy.mapFromSource(view.source.index(largest, 0)))


def _picture(window: MainWindow, theme: str, folder: Path) -> Path:
    window.choose_theme(theme)
    return shots.render(window, folder / f"window-{theme}.png")


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]))
