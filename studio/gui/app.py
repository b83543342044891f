"""Starts the window."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from threading import Thread

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from studio.gui.looks.dress import dress, prepare
from studio.gui.main_window import MainWindow
from studio.gui.texts.texts import T
from studio.gui.watchdog import VARIABLE, Watchdog
from studio.session.session import Session
from studio.workbench.local import tuned
from studio.workbench.process import ProcessWorkbench

_SAMPLE = "sample"
_WARM_MS = 200


def run(path: str | None) -> int:
    """Show the window, with `path` (a model, data or a recipe; `sample`: the shipped one) opened.

    Returns the exit status of the program.
    """
    app = application()
    window = build()
    window.show()
    if not window.preferences.toured:
        window.tour.offer(window.bridge)
    if path is not None:
        open_ = window.files.open_sample if path == _SAMPLE else lambda: window.open_path(path)
        QTimer.singleShot(0, open_)
    QTimer.singleShot(_WARM_MS, warm)
    if os.environ.get(VARIABLE):
        app.aboutToQuit.connect(Watchdog(parent=app).close)
    return app.exec()


def warm() -> Thread:
    """Load the plots while nobody waits for them: after the first paint, before the first figure.

    On a thread: there it takes 0.3 s in slices of 5 ms, here the window would stand still for as long.
    """
    thread = Thread(target=import_module, args=("pyqtgraph",), name="warm")
    thread.start()
    return thread


def application() -> QApplication:
    """The one QApplication, styled."""
    known = QApplication.instance()
    if known is None:  # the web view of the Netron tab shares its contexts, and comes late
        QApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    app = known if isinstance(known, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("trimtab")
    app.setApplicationDisplayName(T.app)
    prepare(app)
    return app


def build(session: Session | None = None) -> MainWindow:
    """A window over `session`; without one, over a worker process of its own."""
    window = MainWindow(session or Session(ProcessWorkbench(tuned)))
    app = QApplication.instance()
    if isinstance(app, QApplication):
        dress(app, window.look.theme)
    return window
