"""The Auto panel: fields on the left, the Pareto plot in the middle, every measured recipe on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSortFilterProxyModel, Qt, QTimer, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from studio.gui.auto import words
from studio.gui.auto.dots import Dot, dots, speed_limits
from studio.gui.auto.form import Form
from studio.gui.auto.model import SORT, Column, DotsModel
from studio.gui.bridge import SEARCH
from studio.gui.desk import Desk
from studio.gui.panel import Panel, label
from studio.gui.tables import ROW, Index, dress_table
from studio.gui.texts.texts import T
from studio.jobs import Outcome
from studio.project import changes
from studio.project.changes import Changed
from studio.recipe.settings import Recipe
from studio.search.front import Found, Visited

if TYPE_CHECKING:
    from studio.gui.auto.scatter import Scatter

_EVERY_MS, _FORM, _TABLE, _HEIGHT = 120, 500, 460, 28


class AutoPanel(Panel):
    """Listens to the bridge; draws only while it is seen, at most eight times a second."""

    def __init__(self, desk: Desk) -> None:
        body = QWidget()
        super().__init__(T.auto, body)
        self._bridge, self._look = desk.bridge, desk.look
        self.form, self.source = Form(), DotsModel(self)
        self.story = label(T.auto_how, quiet=True, pixels=12)
        self.table, self._plot = QTableView(), QStackedWidget()
        self._empty = label(T.auto_empty, quiet=True)
        self._scatter: Scatter | None = None
        self._so_far: list[Visited] = []
        self._recipes: dict[int, Recipe] = {}  # of states that an edit has let go, too
        self._running, self._ticket = False, 0  # ticket of the search that was begun last
        self._arrange(body)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.draw)
        self._wire()

    def _wire(self) -> None:
        bridge = self._bridge
        bridge.changed.connect(self._take)
        bridge.started.connect(self._take_start)
        bridge.visited.connect(self._take_visited)
        bridge.ended.connect(self._take_end)
        self.form.changed.connect(self._soon)
        self.form.wanted.connect(self._want)
        self.table.activated.connect(self._go_row)
        self.table.clicked.connect(self._go_row)
        self._look.changed.connect(self._dress)

    def _arrange(self, body: QWidget) -> None:
        self.story.setWordWrap(True)
        self.story.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.story.setContentsMargins(14, 4, 10, 4)
        self.story.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._plot.addWidget(self._empty)
        left = QVBoxLayout()
        left.addWidget(self.form)
        left.addWidget(self.story, 1)
        holder = QWidget()
        holder.setLayout(left)
        holder.setFixedWidth(_FORM)
        left.setContentsMargins(0, 0, 0, 0)
        self._arrange_table()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 4, 0)
        row.addWidget(holder)
        row.addWidget(self._plot, 1)
        row.addWidget(self.table)

    def _arrange_table(self) -> None:
        proxy = QSortFilterProxyModel(self)
        proxy.setSortRole(SORT)
        proxy.setSourceModel(self.source)
        table = self.table
        table.setModel(proxy)
        table.setFixedWidth(_TABLE)
        table.setSortingEnabled(True)
        table.setObjectName("padded")
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        head = dress_table(table, T.auto_table, _HEIGHT)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        head.setSortIndicatorClearable(True)
        head.setSectionResizeMode(Column.LABEL, QHeaderView.ResizeMode.Stretch)
        for column, width in ((Column.SIZE, 92), (Column.DIFFERENCE, 126), (Column.LATENCY, 96)):
            table.setColumnWidth(column, width)

    @property
    def dots(self) -> tuple[Dot, ...]:
        """Every recipe that was measured here: by the search that runs or ran last, and by hand."""
        session = self._bridge.session
        if session.document is None:
            return ()
        visited = tuple(self._so_far) if self._running else session.state.visited or tuple(self._so_far)
        steps = session.journal.steps
        self._recipes |= {step.document.revision: step.document.recipe for step in steps}
        return dots(self._recipes, session.history, visited)

    def draw(self) -> None:
        """Draw now what is known."""
        self._timer.stop()
        session, found = self._bridge.session, self.dots
        document = session.document
        self.form.show_running(self._running, document is not None and document.data is not None)
        here = document.recipe if document else None
        self.source.show_dots(found, here)
        limits = speed_limits(found)
        self.say("   ·   ".join(filter(None, (T.auto_dots.format(n=len(found)), _legend(limits)))))
        if not found:
            self._plot.setCurrentWidget(self._empty)
            return
        scatter = self._scatter or self._make()
        scatter.draw(found, here, self.form.budgets)
        self._plot.setCurrentWidget(scatter.widget)

    def go(self, dot: Dot) -> None:
        """Take the recipe of a dot: where the history knows it, go there; else it is a new step.

        What a search measured comes along.
        """
        session = self._bridge.session
        steps = session.journal.steps
        known = [at for at, step in enumerate(steps) if step.document.recipe == dot.recipe]
        if not known and dot.visited is not None:
            self._bridge.take(dot.visited)
        elif not known:
            self._bridge.apply_recipe(dot.recipe, dot.label)
        elif session.journal.at not in known:
            self._bridge.goto(known[-1])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        keys = (each.key for each in self._bridge.session.targets())
        self.form.effort.show_places(tuple(key[1:] for key in keys if key.startswith("@")))
        self._soon()

    def _make(self) -> Scatter:
        from studio.gui.auto.scatter import Scatter

        made = self._scatter = Scatter(self._look.theme)
        made.widget.setAccessibleName(T.auto_plot)
        made.clicked, made.dragged = self.go, self.form.drag
        self._plot.addWidget(made.widget)
        return made

    def _soon(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    @Slot(object)
    def _take(self, change: Changed[Any]) -> None:
        if changes.MODEL in change:
            self._so_far, self._recipes = [], {}
            self.story.setText(T.auto_how)
            self.form.suggest(self._bridge.session.facts.file_bytes)
        measured = self._bridge.session.measured
        if changes.HISTORY in change and measured is not None and measured.pair is not None:
            self.form.suggest_latency(measured.pair.original.p50)
        self._soon()

    @Slot(str, str, int)
    def _take_start(self, lane: str, name: str, ticket: int) -> None:
        if lane == SEARCH:
            self._ticket = ticket

    @Slot(object)
    def _take_visited(self, visited: Visited) -> None:
        self._so_far.append(visited)
        self.story.setText(T.auto_so_far.format(n=len(self._so_far), label=visited.label))
        self._soon()

    @Slot(bool)
    def _want(self, wanted: bool) -> None:
        if not wanted:
            self._bridge.cancel(SEARCH)
            return
        self._so_far, self._running = [], True
        self.story.setText(T.auto_begun)
        self._bridge.search(self.form.budgets, self.form.effort.effort)
        self._soon()

    @Slot(object)
    def _take_end(self, outcome: Outcome) -> None:
        if outcome.lane != SEARCH or outcome.ticket != self._ticket:
            return
        self._running = False
        if isinstance(outcome.value, Changed) and isinstance(outcome.value.value, Found):
            self.story.setText(words.told(outcome.value.value))
        elif outcome.cancelled:
            self.story.setText(T.auto_cancelled.format(n=len(self._so_far)))
        else:
            self.story.setText(T.auto_how)
        self._soon()

    @Slot(object)
    def _go_row(self, index: Index) -> None:
        dot = index.data(ROW)
        if isinstance(dot, Dot):
            self.go(dot)

    def _dress(self) -> None:
        if self._scatter is not None:
            self._scatter.dress(self._look.theme)
            self._soon()


def _legend(limits: tuple[tuple[float, float], ...]) -> str:
    from studio.gui.auto.scatter import legend

    return legend(limits) if limits else ""
