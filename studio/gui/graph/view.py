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
    view.set_theme(theme)    `studio.gui.looks.theme.Theme`
    view.fit() zoom_to_selection() seek(text) expand_all() collapse_all() set_columns(on)
    view.end()               ends the threads that lay out

Every slot is cheap enough for a slider: only `set_facts` and opening scopes lay out again, and what
takes longer than a frame is laid out beside the GUI thread (`drafting`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.graph.model import Facts
from studio.graph.scopes import Scope
from studio.gui.graph import choosing, finding, saving
from studio.gui.graph.heat import Figures
from studio.gui.graph.pane import Pane, timer
from studio.gui.graph.query import Query
from studio.gui.looks.theme import Theme
from studio.metrics import CodedRange
from studio.recipe.resolve import Plan

_GLOW_MS = 900


class GraphView(Pane):
    """A model's graph: see the module's text for the interface."""

    selected = Signal(tuple)
    mode_chosen = Signal(str)
    failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._glow = timer(self, _GLOW_MS)
        self._connect()
        self.set_theme(self.shown.theme)

    def _connect(self) -> None:
        canvas, toolbar = self.canvas, self.toolbar
        canvas.pick.connect(self._picked)
        canvas.caught.connect(self._caught)
        canvas.toggle.connect(self._toggled)
        canvas.clear.connect(self._cleared)
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
        self._glow.timeout.connect(lambda: self.light(()))

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
        self.refresh()
        self.lay_out(expanded, self.first_look)

    def set_selection(self, names: Sequence[str]) -> None:
        """Select what the window selected elsewhere; `selected` is not sent."""
        if tuple(names) == self.shown.names:
            return
        self.shown.names = tuple(names)
        self.mark()
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
            self.recolour()

    def set_values(self, mode: str, values: Mapping[str, float]) -> None:
        """Figures per layer for one colour mode; an empty mapping takes them back."""
        if self.shown.figures is not None and self.shown.figures.give(mode, values):
            self.recolour()

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
        self.recolour(mode)
        self.mode_chosen.emit(mode)

    def set_theme(self, theme: Theme) -> None:
        self.shown.theme = theme
        self.toolbar.set_theme(theme)
        self.crumbs.set_theme(theme)
        self.canvas.forget()

    def set_change(self, change: Mapping[str, str]) -> None:
        """Mark nodes, by name: `removed`, `inserted` or `changed`."""
        self._change = change
        self.shown.change = finding.changed(self.shown.facts, self.shown.scene, change)
        self.canvas.forget()

    def zoom_to_selection(self) -> None:
        self.canvas.show_boxes(self.shown.selected)

    def seek(self, text: str) -> None:
        """Mark boxes that hold what `text` asks for (see `query`), and show them."""
        shown = self.shown
        shown.found = finding.boxes(shown, Query.read(text))
        self.toolbar.tell(len(shown.found) if text.strip() else None)
        if shown.found:
            self.canvas.reveal(min(shown.found))
        self.canvas.update()

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
        self.mark()
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
