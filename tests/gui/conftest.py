"""GUI tests run offscreen, over a real engine in this process; Qt's own messages fail them."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.data.reference import DataRef
from studio.gui.graph.view import GraphView
from studio.gui.looks.dress import dress, prepare
from studio.gui.looks.theme import DARK, Look
from studio.gui.main_window import MainWindow
from studio.gui.watchdog import Blocked, Watchdog
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
_SECONDS = 120_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A message of Qt is a fault, but for the one by which the offscreen platform excuses itself."""
    for item in items:
        item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
        item.add_marker(pytest.mark.qt_log_ignore("does not support propagateSizeHints", extend=True))


@pytest.fixture(scope="session")
def qapp_cls() -> type[QApplication]:
    return QApplication


@pytest.fixture
def blocked(qtbot: QtBot) -> Iterator[list[Blocked]]:
    """What kept the window waiting for too long while the test ran."""
    found: list[Blocked] = []
    dog = Watchdog(found.append)
    yield found
    dog.close()


@pytest.fixture
def look(qapp: QApplication) -> Look:
    """A fixed theme, dressed as the program is."""
    prepare(qapp)
    dress(qapp, DARK)
    return Look("dark")


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """A lane or worker that outlives its window is a leak."""
    before = set(threading.enumerate())
    yield
    late = [each for each in threading.enumerate() if each not in before]
    ours = [each for each in late if each.name.startswith(("lane-", "worker-", "boards"))]
    for each in ours:
        each.join(5)
    assert not [each.name for each in ours if each.is_alive()]


class _Warm(LocalWorkbench):
    """The real engine, which keeps what it holds from one window to the next: its caches go by content."""

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkbench]:
    made = _Warm(tmp_path_factory.mktemp("built"), threads=1)
    yield made
    LocalWorkbench.close(made)


@pytest.fixture
def window(qtbot: QtBot, look: Look, engine: LocalWorkbench) -> Iterator[MainWindow]:
    """An empty window over the real engine."""
    made = MainWindow(Session(engine), look)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


@pytest.fixture
def opened(qtbot: QtBot, window: MainWindow, sample: Path, sample_data: Path) -> MainWindow:
    """The window with the sample open, its first 200 samples attached and measured."""
    window.bridge.open(str(sample), sample.name, DataRef(str(sample_data), limit=200))
    qtbot.waitUntil(lambda: measured(window), timeout=_SECONDS)
    return window


def measured(window: MainWindow) -> bool:
    """Whether the current state has its figures."""
    session = window.bridge.session
    document = session.document
    if document is None or document.data is None:
        return False
    done = session.measured
    return done is not None and done.comparison is not None


@pytest.fixture(scope="session")
def nets() -> ModuleType:
    path = Path(__file__).parents[1] / "unit" / "graph" / "synthetic.py"
    spec = importlib.util.spec_from_file_location("synthetic_for_gui", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def view(qtbot: QtBot, look: Look, nets: ModuleType) -> Iterator[GraphView]:
    """A view of the residual network, 900 × 700."""
    made = GraphView()
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    made.set_facts(nets.residual())
    yield made
    made.end()
