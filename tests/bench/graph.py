"""Graph view: nodes, open, layout, frame and memory for 300 to 20,000 nodes (no assertion).

    QT_QPA_PLATFORM=offscreen python tests/bench/graph.py

Prints two tables for docs/bench.md. Milliseconds are this process's processor time. `flat` lays out every
node on its own, `open` is from facts to the first picture as the window shows it, `all open` opens every
scope; `gui` is the part of both that the GUI thread does, the rest is done beside it. Frames are with every
scope open: the mean while panning at four scales, that while zooming, and the longest of all.

The second table holds both views of the same files in seconds of the clock, from the file to the drawn graph,
each in a process of its own; Netron's where the extra `netron` is installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from types import ModuleType

import big_model  # beside this file
import psutil

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from studio.graph.layout.sugiyama import layout
from studio.graph.model import Facts
from studio.gui.graph.view import GraphView
from studio.gui.looks import fonts
from studio.gui.netron.tab import missing

BLOCKS = (6, 32, 104, 424)
SIZES = (300, 1_500, 5_000, 20_000)
HEAD = (
    "nodes",
    "flat",
    "open",
    "boxes",
    "all open",
    "gui",
    "1.0",
    "0.4",
    "0.15",
    "0.04",
    "zooming",
    "longest",
    "MiB",
)
SCALES = (1.0, 0.4, 0.15, 0.04)
FRAMES, PAN, ZOOM = 30, (31, 22), 1.12
LIMIT = 240  # seconds for a file in Netron


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


def frames(view: GraphView, scale: float) -> list[float]:
    """Milliseconds of each frame while panning at `scale`, from the first look on."""
    view.fit()
    view.canvas.zoom(scale / view.canvas.camera.scale)

    def frame() -> None:
        view.canvas.camera.pan(*PAN)
        view.canvas.grab()

    return [milliseconds(frame) for _ in range(FRAMES)]


def zooming(view: GraphView) -> list[float]:
    """Milliseconds of each frame while zooming from the whole graph to a few cards."""
    view.fit()

    def frame() -> None:
        view.canvas.zoom(ZOOM)
        view.canvas.grab()

    return [milliseconds(frame) for _ in range(FRAMES)]


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
    drawn = [*(frames(view, scale) for scale in SCALES), zooming(view)]
    memory = (psutil.Process().memory_info().rss - before) / 2**20
    view.end()
    view.close()
    cells = [f"{len(facts.nodes):,}", f"{flat:,.0f}", f"{opened:,.0f}", shown, f"{whole:,.0f}", f"{gui:,.0f}"]
    cells += [f"{fmean(each):.1f}" for each in drawn]
    cells += [f"{max(frame for each in drawn for frame in each):.1f}", f"{memory:.0f}"]
    return f"| {' | '.join(map(str, cells))} |"


def ours(path: str) -> dict[str, float]:
    """The same file in our own view: seconds to the drawn graph and MB more than before, reading included."""
    from studio.control import Control
    from studio.workbench.local import LocalWorkbench

    app = QApplication([])
    fonts.load()
    before, begun = psutil.Process().memory_full_info().pss, time.monotonic()
    view = GraphView()
    view.resize(1200, 800)
    view.show()
    view.set_facts(LocalWorkbench().open(path, Control()))
    settle(app, view)
    view.canvas.grab()
    seconds = time.monotonic() - begun
    view.end()
    return {"drawn": True, "seconds": seconds, "mb": (psutil.Process().memory_full_info().pss - before) / 1e6}


def beside(size: int, folder: Path) -> str:
    """A row of the second table."""
    path = big_model.write(folder / f"{size}.onnx", size)
    cells = [f"{size:,}"]
    for script in ([__file__, "--ours"], [str(Path(__file__).with_name("netron_view.py"))]):
        done = subprocess.run(
            [sys.executable, *script, str(path), *([] if "--ours" in script else [str(LIMIT)])],
            capture_output=True,
            text=True,
            timeout=LIMIT + 120,
        )
        told = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
        shown = f"{told['seconds']:.2f}" if told.get("drawn") else f"over {LIMIT}" if told else "failed"
        cells += [shown, f"{told['mb']:.0f}" if told else "–"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    app = QApplication([])
    fonts.load()
    made = nets()
    print(
        "| nodes | flat | open | boxes | all open | gui | 1.0 | 0.4 | 0.15 | 0.04 | zooming | longest | MiB |"
    )
    print("|" + " --- |" * 13)
    for blocks in BLOCKS:
        print(row(app, made.transformer(blocks, scoped=False), made.transformer(blocks)), flush=True)
    if missing():
        print(f"\nNetron was not timed: {', '.join(missing())} is not installed")
        return
    print("\n| nodes | ours s | ours MB | Netron s | Netron MB |")
    print("|" + " --- |" * 5)
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            print(beside(size, Path(folder)), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        print(json.dumps(ours(sys.argv[2])))
    else:
        main()
