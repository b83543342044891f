"""The graph view for the window: toolbar and canvas behind one small interface.

    view = GraphView()
    view.selected            Signal(tuple[str, ...]): layer names (node names where a card has no layer)
    view.set_facts(facts)    Facts or None; lays out and fits
    view.set_selection(names)  layer or node names; sends nothing, opens no scope, pans to what is shown
    view.reveal(name)        opens the scopes around a layer or node, selects it and zooms to it
    view.set_plan(plan)      Plan or None: bits and sparsity badges and colours
    view.set_values(mode, values)  a colour mode's figures, layer -> value (`heat.MODES`)
    view.set_mode(mode)      colour by `op`, `bits`, `sparsity`, `size`, `macs`, `sensitivity`
    view.set_theme(theme)    `studio.gui.theme.Theme`
    view.fit() zoom_to_selection() seek(text) expand_all() collapse_all() set_columns(on)

Every slot is cheap enough for a slider: only `set_facts` and opening scopes lay out again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.graph.layout.nested import arrange
from studio.graph.model import Facts
from studio.graph.scopes import Diagram, Outline, Scope
from studio.gui.graph import finding
from studio.gui.graph.canvas import Canvas
from studio.gui.graph.heat import Figures, Heat
from studio.gui.graph.scene import Scene
from studio.gui.graph.sizes import size
from studio.gui.graph.state import Shown
from studio.gui.graph.toolbar import Toolbar
from studio.gui.texts import T
from studio.gui.theme import Theme
from studio.recipe.resolve import Plan

_QUICK = 300  # boxes that are laid out again within a frame


class GraphView(QWidget):
    """A model's graph: see the module's text for the interface."""

    selected = Signal(tuple)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown = Shown()
        self.canvas = Canvas(self.shown, self)
        self.toolbar = Toolbar(self)
        self.columns = True
        self._fitted, self._whole = False, self.canvas.camera.place
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.toolbar)
        column.addWidget(self.canvas, 1)
        self.setAccessibleName(T.graph)
        self.canvas.setAccessibleName(T.graph_canvas)
        self._connect()
        self.set_theme(self.shown.theme)
        self._say()

    def _connect(self) -> None:
        self.canvas.pick.connect(self._picked)
        self.canvas.toggle.connect(self._toggled)
        self.canvas.clear.connect(self._cleared)
        self.canvas.resized.connect(self._resized)
        self.canvas.search.connect(self.toolbar.focus_search)
        self.toolbar.sought.connect(self.seek)
        self.toolbar.went.connect(self._next_found)
        self.toolbar.mode.connect(self.set_mode)
        self.toolbar.columns.connect(self.set_columns)
        self.toolbar.fit.connect(self.fit)
        self.toolbar.expand.connect(self.expand_all)
        self.toolbar.collapse.connect(self.collapse_all)
        self.toolbar.left.connect(self.canvas.setFocus)

    def set_facts(self, facts: Facts | None) -> None:
        """Show another model, or none."""
        shown = self.shown
        if facts is not None and shown.facts is not None and facts.key == shown.facts.key:
            return
        shown.facts = facts
        shown.outline = Outline(facts) if facts is not None else None
        shown.figures = Figures(facts) if facts is not None else None
        shown.expanded = shown.outline.initial() if shown.outline else frozenset()
        shown.names, shown.current = (), None
        self._lay_out()
        self._fitted = False
        self._first_look()

    def set_selection(self, names: Sequence[str]) -> None:
        """Select what the window selected elsewhere; `selected` is not sent."""
        if tuple(names) == self.shown.names:
            return
        self.shown.names = tuple(names)
        self._mark()
        self._stand()
        if self.shown.selected and not self.canvas.underMouse():
            self.canvas.reveal(min(self.shown.selected))

    def reveal(self, name: str) -> None:
        """Open the scopes around a layer or node, select it and zoom to it."""
        shown = self.shown
        if shown.facts is None or shown.outline is None:
            return
        node = finding.node_of(shown.facts, name)
        if node is None:
            return
        shown.expanded |= frozenset(shown.outline.holding(node))
        self._lay_out()
        self.set_selection((name,))
        self.zoom_to_selection()

    def set_plan(self, plan: Plan | None) -> None:
        """Show the plan's bits and sparsity on the cards."""
        if self.shown.figures is not None:
            self.shown.figures.plan = {row.layer: row for row in plan.layers} if plan else {}
            self._recolour()

    def set_values(self, mode: str, values: Mapping[str, float]) -> None:
        """Figures per layer for one colour mode; an empty mapping takes them back."""
        if self.shown.figures is not None:
            given = self.shown.figures.given
            if values:
                given[mode] = dict(values)
            else:
                given.pop(mode, None)
            self._recolour()

    def set_mode(self, mode: str) -> None:
        """Colour by `mode` (see `heat.MODES`)."""
        self.toolbar.show_mode(mode)
        self._recolour(mode)

    def set_theme(self, theme: Theme) -> None:
        self.shown.theme = theme
        self.toolbar.set_theme(theme)
        self.canvas.painter.forget()
        self.canvas.update()

    def set_columns(self, on: bool) -> None:
        """Fold a tall graph into columns, or not."""
        self.columns = on
        self._lay_out()
        self.fit()

    def fit(self) -> None:
        """Show the whole graph."""
        self.canvas.fit()
        self._whole = self.canvas.camera.place

    def zoom_to_selection(self) -> None:
        self.canvas.show_boxes(self.shown.selected)

    def expand_all(self) -> None:
        """Open all scopes."""
        if self.shown.outline is not None:
            self._open(self.shown.outline.all_scopes())

    def collapse_all(self) -> None:
        """Back to the outermost scopes."""
        self._open(frozenset())

    def seek(self, text: str) -> None:
        """Mark boxes whose name, op or hidden content matches `text`, and show them."""
        shown = self.shown
        shown.found = (
            finding.boxes(shown.facts, shown.scene, text) if shown.facts and shown.scene else frozenset()
        )
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

    def _open(self, scopes: frozenset[Scope]) -> None:
        if self.shown.outline is not None:
            self.shown.expanded = scopes
            self._lay_out()
            self.fit()

    def _picked(self, box: int, more: bool) -> None:
        shown = self.shown
        if shown.scene is None or shown.facts is None:
            return
        shown.current = box
        names = finding.names(shown.scene.diagram.boxes[box], shown.facts)
        if more and set(names) <= set(shown.names):
            kept = tuple(name for name in shown.names if name not in names)
        else:
            kept = tuple(dict.fromkeys((*(shown.names if more else ()), *names)))
        self._choose(kept)

    def _cleared(self) -> None:
        self.shown.found = frozenset()
        self._choose(())

    def _choose(self, names: tuple[str, ...]) -> None:
        self.shown.names = names
        self._mark()
        self.selected.emit(names)

    def _toggled(self, box: int) -> None:
        """Open or close a scope; what was clicked stays under the pointer."""
        shown = self.shown
        if shown.scene is None:
            return
        old = shown.scene.diagram.boxes[box]
        if old.kind not in ("scope", "frame"):
            return
        before = self.canvas.camera.to_screen(shown.scene.rects[box]).topLeft()
        shown.expanded ^= frozenset({old.scope})
        shown.current = None
        self._lay_out()
        scene = shown.scene
        now = next(
            (at for at, new in enumerate(scene.diagram.boxes) if (new.id, new.part) == (old.id, old.part)),
            None,
        )
        if now is not None:
            shown.current = now
            after = self.canvas.camera.to_screen(scene.rects[now]).topLeft()
            self.canvas.camera.pan(before.x() - after.x(), before.y() - after.y())

    def _lay_out(self) -> None:
        shown, canvas = self.shown, self.canvas
        if shown.outline is None:
            shown.scene = None
        else:
            diagram = shown.outline.view(shown.expanded)
            shown.scene = Scene(diagram, arrange(diagram, self._sizes(diagram), aspect=self._aspect()))
        shown.found, shown.hovered = frozenset(), None
        self._mark()
        self._stand()
        self._recolour()
        canvas.update()
        self._say()

    def _sizes(self, diagram: Diagram) -> list[tuple[float, float]]:
        return [size(box, self.canvas.faces) for box in diagram.boxes]

    def _aspect(self) -> float | None:
        room = self.canvas.size()
        return room.width() / max(room.height(), 1) if self.columns else None

    def _recolour(self, mode: str | None = None) -> None:
        shown = self.shown
        mode = mode or shown.heat.mode
        boxes = shown.scene.diagram.boxes if shown.scene else ()
        shown.heat = Heat(mode) if shown.figures is None or mode == "op" else shown.figures.heat(mode, boxes)
        self.canvas.painter.forget()
        self.canvas.update()

    def _mark(self) -> None:
        """Selection and group partners as boxes of the present scene."""
        shown = self.shown
        if shown.scene is None or shown.facts is None:
            shown.selected = shown.partners = frozenset()
            return
        shown.selected = finding.marked(shown.facts, shown.scene, shown.names)
        partners = finding.partners(shown.facts, shown.names)
        shown.partners = finding.marked(shown.facts, shown.scene, partners)
        self.canvas.update()

    def _stand(self) -> None:
        """Keyboard travel goes on from a lone selection."""
        chosen = self.shown.selected
        self.shown.current = min(chosen) if len(chosen) == 1 else None

    def _resized(self) -> None:
        """A view that nobody has moved stays whole in a window of another size."""
        scene = self.shown.scene
        if not self._fitted or (scene is not None and self.canvas.camera.place == self._whole):
            if scene is None or not self._fitted or scene.diagram.shown < _QUICK:
                self._lay_out()
            self._first_look()

    def _first_look(self) -> None:
        """Fit once the canvas has its size."""
        if self.shown.scene is not None and self.isVisible():
            self.fit()
            self._fitted = True

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._resized()

    def _say(self) -> None:
        shown = self.shown
        self.toolbar.setEnabled(shown.facts is not None)
        if shown.facts is None or shown.scene is None:
            self.canvas.setAccessibleDescription(T.graph_empty)
            return
        text = T.graph_boxes.format(shown=shown.scene.diagram.shown, n=f"{len(shown.facts.nodes):,}")
        self.toolbar.count(text)
        self.canvas.setAccessibleDescription(T.graph_travel.format(name=shown.facts.name, count=text))
