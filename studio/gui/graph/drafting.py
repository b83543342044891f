"""Lays graphs out beside the GUI thread: a wish goes out, a finished scene comes back.

What can be laid out within a frame is done at once; for the rest the newest wish wins, and an older
one is cancelled on its way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.control import Control
from studio.graph.layout.nested import arrange
from studio.graph.model import Facts
from studio.graph.scopes import Outline, Scope
from studio.gui.graph.scene import Scene
from studio.gui.graph.sizes import Faces, size
from studio.jobs import Lanes, Outcome

QUICK_NODES, QUICK_BOXES = 400, 150  # what takes no longer than a frame
LAYOUT, OVERVIEW = "layout", "overview"


@dataclass(frozen=True, slots=True)
class Wish:
    """A model to be drawn with the scopes in `expanded` opened, and those around `nodes`.

    `outline` is known from an earlier drawing; `expanded` is None for the first look at a model and counts
    for nothing where `everything` is to be opened. Scopes
    that `like` (the outline of another version of the model) does not have are closed when named.
    """

    facts: Facts
    outline: Outline | None
    expanded: frozenset[Scope] | None
    nodes: tuple[int, ...] = ()
    aspect: float | None = None
    like: Outline | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """A wish that came true."""

    outline: Outline
    expanded: frozenset[Scope]
    scene: Scene


def draft(wish: Wish, control: Control) -> Drawn:
    """Lay out what `wish` says; raises `Cancelled`."""
    control.step(0.0)
    outline = wish.outline or Outline(wish.facts)
    control.step(0.3)
    expanded = outline.initial() if wish.expanded is None else wish.expanded
    expanded = outline.all_scopes() if wish.everything else expanded
    for node in wish.nodes:
        expanded |= frozenset(outline.holding(node))
    own = outline.all_scopes() - wish.like.all_scopes() if wish.like else frozenset()
    diagram, faces = outline.view(expanded ^ own), Faces()
    control.step(0.4)
    sizes = [size(box, faces) for box in diagram.boxes]
    layout = arrange(diagram, sizes, aspect=wish.aspect, control=control.part(0.4, 0.9))
    control.step(0.9)
    return Drawn(outline, expanded, Scene(diagram, layout))


class Drafter(QObject):
    """Runs work on threads of its own and hands the values over in the GUI thread.

    `busy` tells whether a layout is under way. `close` ends the threads.
    """

    busy = Signal(bool)
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lanes = Lanes(self._arrived.emit)
        self._takes: dict[int, Callable[[object], None]] = {}
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def draw(self, wish: Wish, take: Callable[[Drawn], None]) -> None:
        """Lay out `wish` and hand the drawing to `take`: at once where it is small."""

        def taken(value: object) -> None:
            assert isinstance(value, Drawn)
            take(value)

        self._lanes.cancel(LAYOUT)
        if len(wish.facts.nodes) <= QUICK_NODES:
            self.busy.emit(False)
            take(draft(wish, Control()))
            return
        self.busy.emit(True)
        self.run(LAYOUT, lambda control: draft(wish, control), taken)

    def run(self, lane: str, work: Callable[[Control], object], take: Callable[[object], None]) -> None:
        """Run `work` on `lane`, in place of what runs there; its value comes to `take`."""
        self._takes[self._lanes.submit(lane, work)] = take

    def cancel(self) -> None:
        """Nothing is wished any more."""
        for lane in (LAYOUT, OVERVIEW):
            self._lanes.cancel(lane)
        self.busy.emit(False)

    def close(self) -> None:
        """Cancel everything and end the threads."""
        self._takes.clear()
        self._lanes.close()

    @Slot(object)
    def _deliver(self, outcome: Outcome) -> None:
        take = self._takes.pop(outcome.ticket, None)
        if take is None or outcome.cancelled:
            return
        if outcome.lane == LAYOUT:
            self.busy.emit(False)
        if outcome.error is not None:
            raise outcome.error
        take(outcome.value)
