"""The graph view for the window: toolbar, path of scopes and canvas behind one small interface.

    view = GraphView()
    view.selected            Signal(tuple[str, ...]): layer names (node names where a card has no layer)
    view.set_facts(facts)    Facts or None; lays out and fits
    view.set_selection(names)  layer or node names; sends nothing, opens no scope, pans to what is shown
    view.reveal(name)        opens the scopes around a layer or node, selects it and zooms to it
    view.set_plan(plan)      Plan or None: bits and sparsity badges and colours
    view.set_values(mode, values)  a colour mode's figures, layer -> value (`heat.MODES`)
    view.set_mode(mode)      colour by one of `heat.MODES`
    view.light(names)        layers whose settings are being moved
    view.set_theme(theme)    `studio.gui.theme.Theme`
    view.fit() zoom_to_selection() seek(text) expand_all() collapse_all() set_columns(on)
    view.end()               ends the threads that lay out

Every slot is cheap enough for a slider: only `set_facts` and opening scopes lay out again, and what
takes longer than a frame is laid out beside the GUI thread (`drafting`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.graph.model import Facts
from studio.graph.scopes import Outline, Scope
from studio.gui.graph import choosing, finding, saving
from studio.gui.graph.canvas import Canvas
from studio.gui.graph.crumbs import Crumbs
from studio.gui.graph.drafting import QUICK_BOXES, QUICK_NODES, Drafter, Drawn, Wish
from studio.gui.graph.heat import Figures, Heat
from studio.gui.graph.query import Query
from studio.gui.graph.state import Shown
from studio.gui.graph.toolbar import Toolbar
from studio.gui.texts import T
from studio.gui.theme import Theme
from studio.metrics import CodedRange
from studio.recipe.resolve import Plan

_GLOW_MS, _REST_MS = 900, 150


class GraphView(QWidget):
    """A model's graph: see the module's text for the interface."""

    selected = Signal(tuple)
    drawn = Signal()
    marked = Signal()
    mode_chosen = Signal(str)
    failed = Signal(object)

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
        self._glow, self._rest = _timer(self, _GLOW_MS), _timer(self, _REST_MS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.toolbar)
        column.addWidget(self.crumbs)
        column.addWidget(self.canvas, 1)
        self.setAccessibleName(T.graph)
        self.canvas.setAccessibleName(T.graph_canvas)
        self._connect()
        self.set_theme(self.shown.theme)
        self._say()

    def _connect(self) -> None:
        canvas, toolbar = self.canvas, self.toolbar
        canvas.pick.connect(self._picked)
        canvas.caught.connect(self._caught)
        canvas.toggle.connect(self._toggled)
        canvas.clear.connect(self._cleared)
        canvas.resized.connect(self._resized)
        canvas.search.connect(toolbar.focus_search)
        toolbar.sought.connect(self.seek)
        toolbar.went.connect(self._next_found)
        toolbar.mode.connect(self.set_mode)
        toolbar.columns.connect(self.set_columns)
        toolbar.lasso.connect(canvas.set_lasso)
        toolbar.fit.connect(self.fit)
        toolbar.zoom.connect(self.zoom_to_selection)
        toolbar.expand.connect(self.expand_all)
        toolbar.collapse.connect(self.collapse_all)
        toolbar.left.connect(canvas.setFocus)
        toolbar.saved.connect(partial(saving.ask, self))
        self.crumbs.went.connect(self._go)
        self.crumbs.chose.connect(self._choose_scope)
        self.drafter.busy.connect(self._wait)
        self._glow.timeout.connect(lambda: self.light(()))
        self._rest.timeout.connect(lambda: self.lay_out(self.shown.expanded, self._first_look))

    def set_facts(self, facts: Facts | None, expanded: frozenset[Scope] | None = None) -> None:
        """Show another model, or none, with these scopes opened (None: so that it can be overseen)."""
        shown = self.shown
        if facts is not None and shown.facts is not None and facts.key == shown.facts.key:
            return
        self.drafter.cancel()
        shown.facts, shown.outline, shown.scene = facts, None, None
        shown.figures = Figures(facts) if facts is not None else None
        shown.expanded, self._change = frozenset(), {}
        shown.names, shown.current = (), None
        self._fitted = False
        self._refresh()
        self.lay_out(expanded, self._first_look)

    def set_selection(self, names: Sequence[str]) -> None:
        """Select what the window selected elsewhere; `selected` is not sent."""
        if tuple(names) == self.shown.names:
            return
        self.shown.names = tuple(names)
        self._mark()
        choosing.stand(self.shown)
        if self.shown.selected and not self.canvas.underMouse():
            self.canvas.reveal(min(self.shown.selected))

    def reveal(self, name: str) -> None:
        """Open the scopes around a layer or node, select it and zoom to it."""
        shown = self.shown
        node = None if shown.facts is None else finding.node_of(shown.facts, name)
        if node is None:
            return

        def there() -> None:
            self.set_selection((name,))
            self.zoom_to_selection()

        if shown.scene is not None and finding.seen(shown.scene, node):
            there()
        else:
            self.lay_out(shown.expanded if shown.outline else None, there, (node,))

    def light(self, names: Sequence[str]) -> None:
        """Light layers, and those of their groups, while their settings move."""
        shown = self.shown
        lit = finding.lit(shown.facts, shown.scene, names)
        if lit:
            self._glow.start()
        if lit != shown.lit:
            shown.lit = lit
            self.canvas.update()

    def set_plan(self, plan: Plan | None) -> None:
        """Show the plan's bits and sparsity on the cards."""
        if self.shown.figures is not None:
            self.shown.figures.set_plan(plan)
            self._recolour()

    def set_values(self, mode: str, values: Mapping[str, float]) -> None:
        """Figures per layer for one colour mode; an empty mapping takes them back."""
        if self.shown.figures is not None and self.shown.figures.give(mode, values):
            self._recolour()

    def set_ranges(self, ranges: Mapping[str, CodedRange]) -> None:
        """What tensors of the built file can hold, by name, for the tool tips."""
        if self.shown.figures is not None:
            self.shown.figures.ranges = ranges

    def set_measuring(self, modes: frozenset[str]) -> None:
        """Colour modes whose figures are on their way: the legend says so."""
        self.shown.measuring = modes
        self.canvas.update()

    def set_mode(self, mode: str) -> None:
        """Colour by `mode` (see `heat.MODES`)."""
        self.toolbar.show_mode(mode)
        self._recolour(mode)
        self.mode_chosen.emit(mode)

    def set_theme(self, theme: Theme) -> None:
        self.shown.theme = theme
        self.toolbar.set_theme(theme)
        self.crumbs.set_theme(theme)
        self.canvas.forget()

    def set_columns(self, on: bool) -> None:
        """Fold a tall graph into columns, or not."""
        self.columns = on
        self.lay_out(self.shown.expanded, self.fit)

    def set_change(self, change: Mapping[str, str]) -> None:
        """Mark nodes, by name: `removed`, `inserted` or `changed`."""
        self._change = change
        self.shown.change = finding.changed(self.shown.facts, self.shown.scene, change)
        self.canvas.forget()

    def fit(self) -> None:
        """Show the whole graph."""
        self.canvas.fit()
        self._whole = self.canvas.camera.place

    def zoom_to_selection(self) -> None:
        self.canvas.show_boxes(self.shown.selected)

    def expand_all(self) -> None:
        """Open all scopes."""
        if self.shown.outline is not None:
            self.lay_out(self.shown.expanded, self.fit, everything=True)

    def collapse_all(self) -> None:
        """Back to the outermost scopes."""
        if self.shown.outline is not None:
            self.lay_out(frozenset(), self.fit)

    def seek(self, text: str) -> None:
        """Mark boxes that hold what `text` asks for (see `query`), and show them."""
        shown = self.shown
        shown.found = finding.boxes(shown, Query.read(text))
        self.toolbar.tell(len(shown.found) if text.strip() else None)
        if shown.found:
            self.canvas.reveal(min(shown.found))
        self.canvas.update()

    def end(self) -> None:
        """Stop what is being laid out; nothing comes after."""
        self.drafter.close()

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
            self._refresh()
            return
        if expanded is not None:
            shown.expanded = expanded

        def take(drawn: Drawn) -> None:
            shown.outline, shown.expanded, shown.scene = drawn.outline, drawn.expanded, drawn.scene
            self._refresh()
            then()
            self.drawn.emit()

        wish = Wish(shown.facts, shown.outline, expanded, nodes, self._aspect(), self.like, everything)
        self.drafter.draw(wish, take)

    def _next_found(self, text: str) -> None:
        """Select the next box (or hidden layer) that matches."""
        shown = self.shown
        if not shown.found:
            return
        later = [box for box in sorted(shown.found) if shown.current is None or box > shown.current]
        box = later[0] if later else min(shown.found)
        self._picked(box, False)
        self.canvas.show_boxes(frozenset({box}))

    def _picked(self, box: int, more: bool) -> None:
        if self.shown.scene is not None:
            self.shown.current = box
            self._choose(choosing.picked(self.shown, box, more))

    def _caught(self, boxes: frozenset[int], more: bool) -> None:
        self._choose(choosing.caught(self.shown, boxes, more))

    def _choose_scope(self, scope: Scope) -> None:
        self._choose(choosing.inside(self.shown, scope))

    def _cleared(self) -> None:
        self.shown.found = frozenset()
        self._choose(())

    def _choose(self, names: tuple[str, ...]) -> None:
        self.shown.names = names
        self._mark()
        self.selected.emit(names)

    def _go(self, scope: Scope) -> None:
        """To a scope of the path, the whole graph for the first of them."""
        box = finding.box_of_scope(self.shown.scene, scope) if scope else None
        if box is None:
            self.fit()
        else:
            self.canvas.show_boxes(frozenset({box}))

    def _toggled(self, box: int) -> None:
        """Open or close a scope; what was clicked stays under the pointer."""
        scene = self.shown.scene
        if scene is None or scene.diagram.boxes[box].kind not in ("scope", "frame"):
            return
        old, before = scene.diagram.boxes[box], scene.rects[box].topLeft()

        def there() -> None:
            now = finding.same_box(self.shown.scene, old)
            self.shown.current = now
            if now is not None:
                self.canvas.keep_in_place(before, now)

        self.shown.current = None
        self.lay_out(self.shown.expanded ^ frozenset({old.scope}), there)

    def _refresh(self) -> None:
        """The scene is another one."""
        shown = self.shown
        shown.found = shown.lit = frozenset()
        shown.change = finding.changed(shown.facts, shown.scene, self._change)
        self._mark()
        choosing.stand(self.shown)
        self._recolour()
        self._say()

    def _aspect(self) -> float | None:
        room = self.canvas.size()
        return room.width() / max(room.height(), 1) if self.columns else None

    def _recolour(self, mode: str | None = None) -> None:
        shown = self.shown
        mode = mode or shown.heat.mode
        boxes = shown.scene.diagram.boxes if shown.scene else ()
        shown.heat = Heat(mode) if shown.figures is None or mode == "op" else shown.figures.heat(mode, boxes)
        self.canvas.forget()

    def _mark(self) -> None:
        choosing.mark(self.shown)
        self.crumbs.show_path(self.shown)
        self.canvas.refresh()
        self.marked.emit()

    def _resized(self) -> None:
        """A view that nobody has moved stays whole in a window of another size."""
        shown = self.shown
        if shown.scene is None or (self._fitted and self.canvas.camera.place != self._whole):
            return
        self._first_look()
        if shown.facts is not None and len(shown.facts.nodes) <= QUICK_NODES:
            self.lay_out(shown.expanded, self._first_look)
        elif shown.scene.diagram.shown <= QUICK_BOXES:
            self._rest.start()

    def _first_look(self) -> None:
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


def _timer(owner: QWidget, milliseconds: int) -> QTimer:
    made = QTimer(owner)
    made.setSingleShot(True)
    made.setInterval(milliseconds)
    return made
