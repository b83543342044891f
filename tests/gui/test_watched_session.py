"""A session with a model of 20,000 nodes: no turn of the event loop takes the GUI thread's processor long.

The bar of 50 ms is measured by `tests/bench/watched.py` on a quiet machine. Here the windows of earlier tests
are styled along and neighbours evict caches, so what fails is a turn that neither could explain.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import QPointF, Qt, QTimer
from pytestqt.qtbot import QtBot

from studio.gui.looks.theme import Look
from studio.gui.main_window import MainWindow
from studio.gui.watchdog import LIMIT, Blocked, Watchdog
from studio.recipe.settings import Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench
from studio.workbench.process import ProcessWorkbench

_NODES, _SECONDS = 20_000, 240_000
_FALLING = Qt.SortOrder.DescendingOrder
_MOST = 4 * LIMIT
_TRIES = 3  # of a gesture: neighbours on the machine evict caches, which is counted as our processor time


def _big_model() -> ModuleType:
    path = Path(__file__).parents[1] / "bench" / "big_model.py"
    spec = importlib.util.spec_from_file_location("big_model_for_gui", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def big(qtbot: QtBot, look: Look, tmp_path: Path) -> Iterator[MainWindow]:
    """A window over an engine in a process of its own, as the program has it."""
    made = MainWindow(Session(ProcessWorkbench(LocalWorkbench)), look)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def _gestures(window: MainWindow) -> list[tuple[str, Callable[[], object], Callable[[], object]]]:
    """What a user does, and how it is taken back before it is tried again."""
    graph, session, view = window.page.graph, window.bridge.session, window.page.layers.view
    layers = session.facts.layers
    far, middle = layers[-1].name, layers[len(layers) // 2].name
    field = graph.toolbar.field
    return [
        ("zoom", lambda: graph.canvas.zoom(3), graph.fit),
        ("pan", lambda: graph.canvas.pan(QPointF(-300, -200)), graph.fit),
        ("search", lambda: field.setText("fc3"), field.clear),
        ("search sizes", lambda: field.setText("> 100 B"), field.clear),
        ("select", lambda: view.select((far,)), lambda: view.select((middle,))),
        ("open a block", lambda: graph.reveal(middle), graph.collapse_all),
        ("move a slider", lambda: window.bridge.edit((far,), Settings(bits=8), "drag"), window.bridge.undo),
        ("group", lambda: view.group(True), lambda: view.group(False)),
        ("sort", lambda: view.sortByColumn(2, _FALLING), lambda: view.sortByColumn(-1, _FALLING)),
        ("theme", lambda: window.look.choose("light"), lambda: window.look.choose("dark")),
        ("open all", graph.expand_all, graph.collapse_all),
    ]


def _tried(window: MainWindow, qtbot: QtBot, act: Callable[[], object]) -> list[Blocked]:
    """Do it in a turn of the loop, as an event would; what kept the window waiting until all was drawn."""
    found: list[Blocked] = []
    dog, done = Watchdog(found.append, _MOST, window), list[bool]()
    QTimer.singleShot(0, lambda: (dog.forgive(), act(), done.append(True)))
    graph = window.page.graph
    qtbot.waitUntil(lambda: bool(done) and graph.shown.scene is not None, timeout=_SECONDS)
    qtbot.waitUntil(lambda: not graph.shown.waiting and window.updatesEnabled(), timeout=_SECONDS)
    qtbot.wait(300)
    dog.close()
    return found


def _least(window: MainWindow, qtbot: QtBot, act: Callable[[], object], back: Callable[[], object]) -> str:
    """What every try was kept waiting by, "" where one was not."""
    said = []
    for _ in range(_TRIES):
        found = _tried(window, qtbot, act)
        if not found:
            return ""
        said.append("\n".join(map(str, found)))
        back()
        qtbot.waitUntil(lambda: not window.page.graph.shown.waiting, timeout=_SECONDS)
        qtbot.wait(200)
    return "\n".join(said)


@pytest.mark.slow
def test_no_gesture_keeps_the_window_waiting(big: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    model = _big_model().write(tmp_path / "big.onnx", _NODES)
    failed: list[object] = []
    big.bridge.failed.connect(failed.append)
    opened = _least(big, qtbot, lambda: big.bridge.open(str(model), model.name), lambda: None)
    assert opened == "", f"open: over {_MOST * 1000:.0f} ms\n{opened}"
    assert len(big.bridge.session.facts.nodes) > 0.99 * _NODES
    slow = {name: said for name, act, back in _gestures(big) if (said := _least(big, qtbot, act, back))}
    assert not slow, "\n".join(f"{name}: {said}" for name, said in slow.items())
    assert failed == []
