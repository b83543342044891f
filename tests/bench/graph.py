"""Graph view: nodes, open, layout, frame and memory for 300 to 20,000 nodes (no assertion).

    QT_QPA_PLATFORM=offscreen python tests/bench/graph.py

Milliseconds are this process's processor time. `flat` lays out every node on its own, `open` is from
facts to the first picture as the window shows it, `all open` opens every scope; `gui` is the part of both
that the GUI thread does, the rest is done beside it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import psutil

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from studio.graph.layout.sugiyama import layout
from studio.graph.model import Facts
from studio.gui import fonts
from studio.gui.graph.view import GraphView

BLOCKS = (6, 32, 104, 424)


def nets() -> ModuleType:
    """The made-up networks of the unit tests."""
    path = Path(__file__).parents[1] / "unit" / "graph" / "synthetic.py"
    spec = importlib.util.spec_from_file_location("synthetic_for_bench", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def milliseconds(work: Callable[[], object], times: int = 1) -> float:
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) * 1000 / times


def settle(app: QApplication, view: GraphView) -> None:
    """Wait until the layout is there."""
    while view.shown.waiting or view.shown.scene is None:
        app.processEvents()
        time.sleep(0.002)


def frames(view: GraphView, scale: float) -> float:
    """Milliseconds per frame while panning at `scale`."""
    view.fit()
    view.canvas.zoom(scale / view.canvas.camera.scale)
    view.canvas.grab()

    def frame() -> None:
        view.canvas.camera.pan(3, 2)
        view.canvas.grab()

    return milliseconds(frame, 20)


def row(app: QApplication, facts: Facts, scoped: Facts) -> str:
    edges = facts.edges
    flat = milliseconds(lambda: layout([(124.0, 38.0)] * len(facts.nodes), edges))
    view = GraphView()
    view.resize(1200, 800)
    view.show()
    app.processEvents()

    start = time.thread_time()

    def picture() -> None:
        view.set_facts(scoped)
        settle(app, view)
        view.canvas.grab()

    def whole_graph() -> None:
        view.expand_all()
        settle(app, view)

    before = psutil.Process().memory_info().rss
    opened = milliseconds(picture)
    shown = view.shown.scene.diagram.shown if view.shown.scene else 0
    whole = milliseconds(whole_graph)
    gui = (time.thread_time() - start) * 1000
    drawn = [frames(view, scale) for scale in (1.0, 0.4, 0.15, 0.04)]
    memory = (psutil.Process().memory_info().rss - before) / 2**20
    view.end()
    view.close()
    times = " ".join(f"{each:7.1f}" for each in drawn)
    layouts = f"{flat:9.0f} {opened:9.0f} {shown:6} {whole:10.0f} {gui:7.0f}"
    return f"{len(facts.nodes):7,} {layouts} {times} {memory:8.0f}"


def main() -> None:
    app = QApplication([])
    fonts.load()
    made = nets()
    print(
        "  nodes   flat ms   open ms  boxes all open ms  gui ms   frame ms at 1.0, 0.4, 0.15, 0.04      MiB"
    )
    for blocks in BLOCKS:
        print(row(app, made.transformer(blocks, scoped=False), made.transformer(blocks)))


if __name__ == "__main__":
    main()
