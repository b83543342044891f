"""A session with a model of 20,000 nodes, watched: prints as JSON what kept the window waiting.

    QT_QPA_PLATFORM=offscreen python tests/bench/watched.py FOLDER [NODES]

Steps are run by a timer, as a user's would be by events; the engine is a process of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import big_model  # beside this file
import psutil
from PySide6.QtCore import QPointF, QTimer
from PySide6.QtWidgets import QApplication

from studio.gui import app as program
from studio.gui.main_window import MainWindow
from studio.gui.watchdog import Blocked, Watchdog
from studio.recipe.settings import Settings

Step = tuple[str, Callable[[], object]]


def steps(window: MainWindow) -> list[Step]:
    """What a user does, one gesture each."""
    graph, layers = window.page.graph, window.bridge.session.facts.layers
    middle, far = layers[len(layers) // 2].name, layers[-1].name
    return [
        ("zoom in", lambda: graph.canvas.zoom(3)),
        ("pan", lambda: graph.canvas.pan(QPointF(-300, -200))),
        ("open a block", lambda: graph.reveal(middle)),
        ("find", lambda: graph.toolbar.field.setText("fc3")),
        ("find sizes", lambda: graph.toolbar.field.setText("> 100 B")),
        ("find nothing", lambda: graph.toolbar.field.clear()),
        ("colour by size", lambda: graph.set_mode("size")),
        ("select", lambda: window.page.layers.view.select((far,))),
        ("move a slider", lambda: window.bridge.edit((far,), Settings(bits=8), "drag")),
        ("undo", window.bridge.undo),
        ("light theme", lambda: window.look.choose("light")),
        ("open all", graph.expand_all),
        ("all, near", lambda: graph.canvas.zoom(20)),
        ("close all", graph.collapse_all),
    ]


def settle(app: QApplication, until: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        app.processEvents()
        time.sleep(0.002)


def main() -> None:
    model = big_model.write(Path(sys.argv[1]) / "big.onnx", int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)
    app = program.application()
    found: list[tuple[str, Blocked]] = []
    doing = ["start"]
    window = program.build()
    window.show()
    program.warm()
    settle(app, lambda: False, 1)
    memory = psutil.Process().memory_info().rss
    dog = Watchdog(lambda each: found.append((doing[0], each)), parent=window)
    graph = window.page.graph
    doing[0] = "open"
    QTimer.singleShot(0, lambda: window.bridge.open(str(model), model.name))
    window.bridge.failed.connect(lambda error: sys.exit(str(error)))
    settle(app, lambda: graph.shown.scene is not None)
    for name, act in steps(window):
        settle(app, lambda: not graph.shown.waiting)
        settle(app, lambda: False, 0.3)
        doing[0] = name
        QTimer.singleShot(0, act)
        settle(app, lambda: False, 0.3)
        settle(app, lambda: not graph.shown.waiting)
    window.grab()
    used = psutil.Process().memory_info().rss
    dog.close()
    window.close()
    told = [{"step": step, "ms": round(each.milliseconds), "stack": each.stack} for step, each in found]
    print(json.dumps({"blocked": told, "before_mb": memory / 1e6, "mb": used / 1e6}))


if __name__ == "__main__":
    main()
