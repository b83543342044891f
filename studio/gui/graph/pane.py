"""A graph that is laid out and kept whole in its widget: what the view does its work on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.graph.scopes import Outline, Scope
from studio.gui.graph import choosing, finding
from studio.gui.graph.canvas import Canvas
from studio.gui.graph.crumbs import Crumbs
from studio.gui.graph.drafting import QUICK_BOXES, QUICK_NODES, Drafter, Drawn, Wish
from studio.gui.graph.heat import Heat
from studio.gui.graph.state import Shown
from studio.gui.graph.toolbar import Toolbar
from studio.gui.texts.texts import T

_REST_MS = 150


class Pane(QWidget):
    """Toolbar, path of scopes and canvas. `drawn`: another scene is shown; `marked`: another selection."""

    drawn = Signal()
    marked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown = Shown()
        self.drafter = Drafter(self)
        self.canvas = Canvas(self.shown, self.drafter, self)
        self.toolbar, self.crumbs = Toolbar(self), Crumbs(self)
        self.columns = True
        self._change: Mapping[str, str] = {}
        self.like: Outline | None = None
        self._fitted, self._whole = False, self.canvas.camera.place
        self._rest = timer(self, _REST_MS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.toolbar)
        column.addWidget(self.crumbs)
        column.addWidget(self.canvas, 1)
        self.setAccessibleName(T.graph)
        self.canvas.setAccessibleName(T.graph_canvas)
        self.drafter.busy.connect(self._wait)
        self.canvas.resized.connect(self._resized)
        self._rest.timeout.connect(lambda: self.lay_out(self.shown.expanded, self.first_look))
        self._say()

    def lay_out(
        self,
        expanded: frozenset[Scope] | None,
        then: Callable[[], None],
        nodes: tuple[int, ...] = (),
        *,
        everything: bool = False,
    ) -> None:
        """Draw with these scopes opened, or `everything`, and those around `nodes`; calls `then` at last."""
        shown = self.shown
        if shown.facts is None:
            self.refresh()
            return
        if expanded is not None:
            shown.expanded = expanded

        def take(drawn: Drawn) -> None:
            shown.outline, shown.expanded, shown.scene = drawn.outline, drawn.expanded, drawn.scene
            self.refresh()
            then()
            self.drawn.emit()

        wish = Wish(shown.facts, shown.outline, expanded, nodes, self._aspect(), self.like, everything)
        self.drafter.draw(wish, take)

    def set_columns(self, on: bool) -> None:
        """Fold a tall graph into columns, or not."""
        self.columns = on
        self.lay_out(self.shown.expanded, self.fit)

    def fit(self) -> None:
        """Show the whole graph."""
        self.canvas.fit()
        self._whole = self.canvas.camera.place

    def expand_all(self) -> None:
        """Open all scopes."""
        if self.shown.outline is not None:
            self.lay_out(self.shown.expanded, self.fit, everything=True)

    def collapse_all(self) -> None:
        """Back to the outermost scopes."""
        if self.shown.outline is not None:
            self.lay_out(frozenset(), self.fit)

    def end(self) -> None:
        """Stop what is being laid out; nothing comes after."""
        self.drafter.close()

    def refresh(self) -> None:
        """The scene is another one."""
        shown = self.shown
        shown.found = shown.lit = frozenset()
        shown.change = finding.changed(shown.facts, shown.scene, self._change)
        self.mark()
        choosing.stand(self.shown)
        self.recolour()
        self._say()

    def _aspect(self) -> float | None:
        room = self.canvas.size()
        return room.width() / max(room.height(), 1) if self.columns else None

    def recolour(self, mode: str | None = None) -> None:
        shown = self.shown
        mode = mode or shown.heat.mode
        boxes = shown.scene.diagram.boxes if shown.scene else ()
        shown.heat = Heat(mode) if shown.figures is None or mode == "op" else shown.figures.heat(mode, boxes)
        self.canvas.forget()

    def mark(self) -> None:
        choosing.mark(self.shown)
        self.crumbs.show_path(self.shown)
        self.canvas.refresh()
        self.marked.emit()

    def _resized(self) -> None:
        """A view that nobody has moved stays whole in a window of another size."""
        shown = self.shown
        if shown.scene is None or (self._fitted and self.canvas.camera.place != self._whole):
            return
        self.first_look()
        if shown.facts is not None and len(shown.facts.nodes) <= QUICK_NODES:
            self.lay_out(shown.expanded, self.first_look)
        elif shown.scene.diagram.shown <= QUICK_BOXES:
            self._rest.start()

    def first_look(self) -> None:
        """Fit once the canvas has its size."""
        if self.shown.scene is not None and self.isVisible():
            self.fit()
            self._fitted = True

    def _wait(self, busy: bool) -> None:
        self.shown.waiting = busy
        self.canvas.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._resized()

    def _say(self) -> None:
        shown = self.shown
        self.toolbar.setEnabled(shown.facts is not None)
        if shown.facts is None:
            self.canvas.setAccessibleDescription(T.graph_empty)
        elif shown.scene is not None:
            text = T.graph_boxes.format(shown=shown.scene.diagram.shown, n=f"{len(shown.facts.nodes):,}")
            self.crumbs.count(text)
            self.canvas.setAccessibleDescription(T.graph_travel.format(name=shown.facts.name, count=text))


def timer(owner: QWidget, milliseconds: int) -> QTimer:
    """A timer that fires once, so long after it was started last."""
    made = QTimer(owner)
    made.setSingleShot(True)
    made.setInterval(milliseconds)
    return made
