"""The one bridge between engine and window: the only subscriber of session events.

Engine threads hand their values to `_arrived`, a queued signal of this one long-lived object; its real
slots run in the GUI thread. Heavy verbs run on lanes, where the newest wish replaces an older one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from studio.control import Cancelled, Control
from studio.data.reference import DataRef
from studio.doctor.findings import Finding
from studio.errors import StudioError
from studio.gui.questions import Asked, Questions, Settled
from studio.gui.texts.texts import T
from studio.jobs import Advance, Lanes, Outcome
from studio.metrics import Sensitivity
from studio.project import changes
from studio.project.changes import Changed, Measured
from studio.recipe.settings import Recipe, Settings
from studio.search.budgets import SOLVER, Budgets, Effort
from studio.search.front import Visited
from studio.session.session import Session

if TYPE_CHECKING:
    from studio.boards.links.asking import Answer

DOCTOR = "doctor"
OPEN, DATA, MEASURE, SENSE, SEARCH = "open", "data", "measure", "sensitivity", "search"
NOISE, EXPORT, REPORT, SAVE, INSPECT, ANSWERS = "noise", "export", "report", "save", "inspect", "answers"
READY, SAMPLES = "ready", "samples"
_SETTLE_MS = 30
_MEASURED_BY = frozenset({changes.MODEL, changes.DATA, changes.RECIPE})


class Bridge(QObject):
    """Verbs for the window. Failures come as `failed`, never as an exception out of a verb."""

    changed = Signal(object)  # Changed: what a verb changed
    partial = Signal(object)  # Measured, with the figures so far
    sensed = Signal(object)  # Sensitivity, as each is found
    proven = Signal(object)  # Finding of the doctor, as each is proven
    visited = Signal(object)  # Visited, as a search measures each
    advanced = Signal(object)  # Advance of a running job
    started = Signal(str, str, int)  # lane, label and ticket of a new job
    ended = Signal(object)  # Outcome of a job
    asked = Signal(object)  # Asked: a password is wanted; it goes to `answer`
    settled = Signal(object)  # Settled: it is wanted no more
    failed = Signal(object)  # the exception
    _arrived = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._lanes = Lanes(self._from_lane, self._from_work)
        self._questions = Questions(self._arrived.emit)
        session.ask = self._questions.ask
        self._closed = False
        self._asked: object = None
        self._guard, self._latest = threading.Lock(), dict[str, Advance]()
        self._routes: dict[type, Any] = {
            Changed: self._take_change,
            Measured: self.partial.emit,
            Sensitivity: self.sensed.emit,
            Visited: self.visited.emit,
            Finding: self.proven.emit,
            Outcome: self._take_outcome,
            Asked: self.asked.emit,
            Settled: self.settled.emit,
        }
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._measure_now)
        self._stop = session.subscribe(self._arrived.emit)

    # Light verbs: at once, in the GUI thread.

    def edit(self, names: tuple[str, ...], settings: Settings, drag: str = "") -> None:
        """Lay settings over layers or groups; one `drag` token is one step of undo."""
        if names:
            self._light(lambda: self.session.set_layers(names, settings, drag))

    def lock(self, names: tuple[str, ...]) -> None:
        """Lock these layers; unlock them where all are locked already."""
        locked = {rule.pattern for rule in self.session.recipe.locks}
        if names:
            verb = self.session.unlock if locked.issuperset(names) else self.session.lock
            self._light(lambda: verb(names))

    def apply_preset(self, name: str) -> None:
        self._light(lambda: self.session.apply_preset(name))

    def set_target(self, key: str) -> None:
        """Build for this computer (`here`), for `@BOARD`, or for a shipped target."""
        self._light(lambda: self.session.set_target(key))

    def apply_recipe(self, recipe: Recipe, label: str) -> None:
        self._light(lambda: self.session.apply_recipe(recipe, label))

    def take(self, visited: Visited) -> None:
        """Go to a recipe that a search measured; its figures come along."""
        self._light(lambda: self.session.take(visited))

    def reset(self) -> None:
        self._light(self.session.reset)

    def undo(self) -> None:
        self._light(self.session.undo)

    def redo(self) -> None:
        self._light(self.session.redo)

    def goto(self, step: int) -> None:
        self._light(lambda: self.session.goto(step))

    def _light(self, verb: Callable[[], object]) -> None:
        try:
            verb()
        except StudioError as error:
            self.failed.emit(error)

    # Heavy verbs: on their lanes.

    def open(self, path: str, name: str, then: DataRef | None = None) -> None:
        """Open a model, and the data set `then` with it."""

        def work(control: Control) -> object:
            found = self.session.open(path, control.part(0.0, 0.8 if then else 1.0))
            if then is not None:
                self.session.attach_data(then, control.part(0.8, 1.0))
            return found

        self._open(name, work)

    def recover(self, path: str, name: str) -> None:
        """Take up a snapshot of work that was not saved."""
        self._open(name, lambda control: self.session.recover(path, control))

    def open_release(self, board: str, release: str = "") -> None:
        """Fetch a release from a board, the active one by default, and open it."""
        self._open(board, lambda control: self.session.open_release(board, control, release))

    def _open(self, name: str, work: Callable[[Control], object]) -> None:
        self._lanes.cancel(MEASURE)
        self._lanes.cancel(SENSE)
        self.run(OPEN, T.job_open.format(name=name), work)

    def attach(self, ref: DataRef, name: str) -> None:
        """Use a data set from now on."""
        self.run(DATA, T.job_attach.format(name=name), lambda control: self.session.attach_data(ref, control))

    def measure(self) -> None:
        """Build and measure the current state: at once where nothing is being measured, else soon, so that
        many wishes in a row become one.
        """
        if self._settle.isActive() or self._lanes.busy(MEASURE):
            self._settle.start()
        else:
            self._measure_now()

    def prepare(self, names: tuple[str, ...]) -> None:
        """Get ready for edits of `names`, so that their figures come sooner; a measurement ends it."""
        self.run(READY, T.job_ready, lambda control: self.session.prepare(names, control))

    def time(self) -> None:
        """Time the file here, after what is being measured, so that the two do not disturb each other."""
        self.run(MEASURE, T.job_latency, self.session.latency, replace=False)

    def sense(self) -> None:
        """Measure each group alone."""
        self.run(
            SENSE,
            T.job_sensitivity,
            lambda control: self.session.sensitivity(control, self._arrived.emit),
        )

    def search(self, budgets: Budgets, effort: Effort = SOLVER) -> None:
        """Look for a recipe that meets `budgets`; it is taken as one step of undo."""
        self.run(
            SEARCH,
            T.job_search,
            lambda control: self.session.search(budgets, control, self._arrived.emit, effort),
        )

    def diagnose(self) -> None:
        """Ask the doctor what the accuracy was lost to."""
        self.run(DOCTOR, T.job_doctor, lambda control: self.session.diagnose(control, self._arrived.emit))

    def apply_fix(self, finding: Finding) -> None:
        """Apply what the doctor proposes as one step of undo, and measure it."""

        def work(control: Control) -> object:
            return self.session.apply_fix(finding, control, self._arrived.emit)

        self.run(MEASURE, T.job_fix, work)

    def noise(self) -> None:
        """Measure the noise of every layer's output in the file of now."""
        self.run(NOISE, T.job_noise, self.session.drift)

    def export(self, out: str, name: str) -> None:
        """Write the measured file to `out`."""
        self.run(EXPORT, T.job_export.format(name=name), lambda control: self.session.export(out, control))

    def run(
        self,
        lane: str,
        label: str,
        work: Callable[[Control], object],
        replace: bool = True,
        quiet: bool = False,
    ) -> int:
        """Run `work` outside the GUI thread; its value comes with `ended`, its failure with `failed`.

        Returns its ticket. `quiet` work is not announced: it is nobody's wish.
        """
        if self._closed:
            return 0  # a timer of the window may come late
        ticket = self._lanes.submit(lane, self._questions.of(work), label, replace)
        if not quiet:
            self.started.emit(lane, label, ticket)
        return ticket

    def cancel(self, lane: str) -> None:
        """Ask what runs on `lane` to stop."""
        self._lanes.cancel(lane)

    def cancel_job(self, ticket: int) -> None:
        """Ask this one job to stop."""
        self._lanes.cancel_job(ticket)

    def answer(self, ticket: int, answer: Answer | None) -> None:
        """To what was asked; None declines."""
        self._questions.answer(ticket, answer)

    def busy(self, lane: str) -> bool:
        """Whether `lane` has work."""
        return self._lanes.busy(lane)

    def close(self) -> None:
        """Cancel everything, end the threads and stop listening."""
        self._closed = True
        self._settle.stop()
        self._stop()
        self._questions.close()
        self._lanes.close()
        self.session.close()

    @Slot()
    def _measure_now(self) -> None:
        document = self.session.document
        if document is self._asked and (self.busy(MEASURE) or self.session.measured is not None):
            return  # several edits told of at once are one state
        self._asked = document
        self.cancel(READY)
        self.run(MEASURE, T.job_measure, lambda control: self.session.measure(control, self._arrived.emit))

    # From engine threads.

    def _from_lane(self, outcome: Outcome) -> None:
        self._arrived.emit(outcome)

    def _from_work(self, advance: Advance) -> None:
        with self._guard:
            first = not self._latest
            self._latest[advance.lane] = advance
        if first:
            self._arrived.emit(None)

    # In the GUI thread.

    @Slot(object)
    def _deliver(self, value: object) -> None:
        if value is None:
            with self._guard:
                latest, self._latest = self._latest, {}
            for advance in latest.values():
                self.advanced.emit(advance)
            return
        self._routes[type(value)](value)

    def _take_change(self, change: Changed[Any]) -> None:
        self.changed.emit(change)
        if change.what & _MEASURED_BY:
            self.measure()

    def _take_outcome(self, outcome: Outcome) -> None:
        self.ended.emit(outcome)
        if outcome.error is not None and not isinstance(outcome.error, Cancelled):
            self.failed.emit(outcome.error)
