"""The window, offscreen: from a slider's event to the repainted figure, and 200 events in 5 s.

    python tests/bench/live_window.py MODEL DATA SAMPLES      # prints one line of JSON

An edit ends when the difference card has been painted with a measured figure of that revision. `late_ms` is
how late a 10 ms timer of the window came at worst while the slider was dragged; `finals` counts finished
figures of the last revision.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from studio.control import Cancelled
from studio.data.reference import DataRef
from studio.gui import app
from studio.gui.bridge import MEASURE, READY
from studio.gui.main_window import MainWindow
from studio.jobs import Outcome
from studio.project.changes import Changed, Measured
from studio.recipe.settings import Recipe, Settings
from studio.target import here

EDITS = (7, 6, 5, 7, 6, 5)
EVENTS, SECONDS, TICK_MS = 200, 5.0, 10
PATIENCE = 120.0
CALM = 2.0


class Painted(QObject):
    """Notes when the card was painted, once a measured figure of the newest revision has come."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._window, self._come, self.at = window, 0, 0.0
        window.bridge.partial.connect(self._take)
        window.page.cards.difference.installEventFilter(self)

    def await_next(self) -> None:
        self._come, self.at = 0, 0.0

    def _take(self, measured: Measured) -> None:
        if measured.comparison is not None:
            self._come = measured.revision

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        newest = self._window.bridge.session.state.revision
        if event.type() == QEvent.Type.Paint and self._come == newest and not self.at:
            self.at = time.perf_counter()
        return super().eventFilter(watched, event)


class Ticks:
    """A 10 ms timer of the window, and how late it came at worst."""

    def __init__(self) -> None:
        self.worst, self._last = 0.0, time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.worst = max(self.worst, 1000 * (now - self._last) - TICK_MS)
        self._last = now

    def stop(self) -> None:
        self._timer.stop()


def wait(done: Callable[[], bool]) -> None:
    """Let the window work until `done`; raises TimeoutError."""
    began = time.perf_counter()
    while not done():
        if time.perf_counter() - began > PATIENCE:
            raise TimeoutError
        QApplication.processEvents()
        time.sleep(0.0005)


def opened(model: str, data: str, samples: int) -> MainWindow:
    """A window on int8, measured, with a layer in the middle selected and got ready."""
    window = app.build()
    window.resize(1400, 900)
    window.show()
    bridge = window.bridge
    bridge.open(model, model, DataRef(data, None, samples))
    wait(lambda: bridge.session.document is not None and bridge.session.document.data is not None)
    repair = ("equalize", "bias")
    goal, width = here().name, Settings(bits=8)
    recipe = Recipe(target=goal, default=width, repair=repair, calibration_samples=200)
    bridge.apply_recipe(recipe, "int8")
    wait(lambda: bridge.session.measured is not None)
    layers = bridge.session.facts.layers
    window.page.layers.view.select((layers[len(layers) // 2].name,))
    wait(lambda: bridge.busy(READY))
    wait(lambda: not bridge.busy(READY) and not bridge.busy(MEASURE))
    return window


def edits(window: MainWindow, name: str) -> list[float]:
    """Milliseconds from each slider event to the repainted figure."""
    painted, found = Painted(window), []
    for turn, bits in enumerate(EDITS):
        painted.await_next()
        began = time.perf_counter()
        window.page.layers.view.edited.emit((name,), Settings(bits=bits), f"edit {turn}")
        wait(lambda: painted.at > 0)
        found.append(1000 * (painted.at - began))
        wait(lambda: window.bridge.session.measured is not None and not window.bridge.busy(MEASURE))
    return found


def drag(window: MainWindow, name: str) -> dict[str, float]:
    """200 slider events in 5 s, as a drag sends them."""
    ended: list[int] = []

    def note(outcome: Outcome) -> None:
        if isinstance(outcome.error, Cancelled) or not isinstance(outcome.value, Changed):
            return
        if isinstance(outcome.value.value, Measured):
            ended.append(outcome.value.value.revision)

    window.bridge.ended.connect(note)
    ticks, began = Ticks(), time.perf_counter()
    for event in range(EVENTS):
        wait(lambda due=began + event * SECONDS / EVENTS: time.perf_counter() >= due)  # type: ignore[misc]
        window.page.layers.view.edited.emit((name,), Settings(bits=2 + event % 6), "one drag")
    wait(lambda: window.bridge.session.measured is not None and not window.bridge.busy(MEASURE))
    ticks.stop()
    calm = time.perf_counter() + CALM
    wait(lambda: time.perf_counter() >= calm)  # a second end, were there one, would be told by now
    return {"late_ms": ticks.worst, "finals": ended.count(window.bridge.session.state.revision)}


def main() -> None:
    app.application()
    window = opened(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    layers = window.bridge.session.facts.layers
    name = layers[len(layers) // 2].name
    times = edits(window, name)
    told = {"repainted_ms": statistics.median(times), "each_ms": [round(each, 1) for each in times]}
    print(json.dumps({**told, **drag(window, name)}))
    window.close()


if __name__ == "__main__":
    main()
