"""From what a verb changed to what the page shows. Each view is told only what it cares for."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer, Slot

from studio.gui.bridge import MEASURE, NOISE, SENSE, Bridge
from studio.gui.figures import faces
from studio.gui.figures.cards import Face
from studio.gui.layers.rows import rows
from studio.gui.plots import series
from studio.gui.plots.bars_panel import BarsPanel
from studio.gui.plots.page import PlotsPage
from studio.gui.readying import Readying
from studio.gui.texts.texts import T
from studio.gui.turns import Turns
from studio.gui.work import WorkPage
from studio.jobs import Outcome
from studio.metrics import Comparison, Figure, Sensitivity, on_board
from studio.predict import LayerTimes
from studio.project import changes
from studio.project.changes import Changed, Measured

_ROWS_CHANGE = frozenset(
    {changes.MODEL, changes.DATA, changes.RECIPE, changes.ARTIFACT, changes.SENSITIVITY, changes.DRIFT}
    | {changes.BOARDS}
)
_REST_MS = 700
_MANY = 500  # layers of a model that is shown in several turns of the event loop


class Presenter(QObject):
    """Fills the page from the session's state; keeps only what is not finished yet."""

    def __init__(self, bridge: Bridge, page: WorkPage) -> None:
        super().__init__(page)
        self._bridge, self._session, self._page = bridge, bridge.session, page
        self._so_far: Measured | None = None
        self._sensed: list[Sensitivity] = []
        self._estimates: dict[int, Figure] = {}
        self._expected: dict[int, series.Guess] = {}
        self._last: Comparison | None = None
        self._turns, self._wanted = Turns(self), False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._time)
        bridge.changed.connect(self.take)
        bridge.partial.connect(self._take_partial)
        bridge.sensed.connect(self._take_sensed)
        bridge.ended.connect(self._take_end)
        page.layers.view.edited.connect(bridge.edit)
        page.layers.view.edited.connect(page.graph.light)
        page.layers.view.chosen.connect(page.graph.set_selection)
        page.graph.failed.connect(bridge.failed)
        page.graph.mode_chosen.connect(self._take_mode)
        page.graph.selected.connect(page.layers.view.select)
        page.layers.view.chosen.connect(page.selection.choose)
        page.graph.selected.connect(page.selection.choose)
        page.selection.changed.connect(page.layers.view.select)
        page.selection.changed.connect(page.graph.set_selection)
        Readying(bridge, page.selection)
        self._plots = page.of(PlotsPage)
        for plot in self._plots.all():
            plot.chosen.connect(bridge.goto)
            plot.failed.connect(bridge.failed)

    @Slot(object)
    def take(self, change: Changed[Any]) -> None:
        """Show what changed."""
        if self._session.document is None:
            return
        if changes.MODEL in change:
            self._begin()
        self._show(rows=bool(change.what & _ROWS_CHANGE))

    def _show(self, rows: bool) -> None:
        """Cards and plots, and the rows where they are others; of large models part by part."""
        self._wanted = self._wanted or rows
        parts = (self._show_wanted, self._show_cards, self._show_plots)
        if len(self._session.facts.layers) > _MANY:
            self._turns.take(parts)
            return
        for part in parts:
            part()

    def _show_wanted(self) -> None:
        """The rows, where a change since they were shown last has a say in them."""
        if self._wanted:
            self._wanted = False
            self._show_rows()

    def _begin(self) -> None:
        facts, page = self._session.facts, self._page
        self._so_far, self._last, self._sensed, self._estimates = None, None, [], {}
        self._expected = {}
        page.graph.set_facts(facts)
        page.graph_panel.say(T.graph_nodes.format(name=facts.name, n=f"{len(facts.nodes):,}"))
        if facts.layers:
            first = (facts.layers[0].name,)
            page.layers.view.select(first)
            page.graph.set_selection(first)
            page.selection.choose(first)

    def _show_rows(self) -> None:
        session, page = self._session, self._page
        plan, found = session.plan(), self._effects()
        state, locked = session.state, {rule.pattern for rule in session.recipe.locks}
        drift = state.drift if state.drift_revision == state.revision else ()
        made = rows(
            session.facts, plan, session.target, session.artifact, found, drift, locked, *self._times()
        )
        page.layers.set_rows(made)
        page.of(BarsPanel).show_rows(made, session.facts, plan)
        page.graph.set_plan(plan)
        page.graph.set_values("size", {row.name: row.after for row in made})
        losses = {row.name: -row.effect.difference.value for row in made if row.effect}
        page.graph.set_values("sensitivity", losses)
        noise = {row.name: row.sqnr_db for row in made if row.sqnr_db is not None}
        page.graph.set_values("sqnr", noise)
        page.graph.set_values("time", {row.name: ms for row in made if (ms := row.likely_ms) is not None})

    def _profiled(self) -> str:
        """The board whose times are shown: the chosen one where this model was timed there, else any."""
        boards = [table.board for table in self._session.layer_tables]
        chosen = self._page.boards.chosen
        return chosen if chosen in boards else next(iter(boards), "")

    def _times(self) -> tuple[tuple[LayerTimes, ...], str]:
        board = self._profiled()
        return self._session.layer_times(board) if board else (), board

    def _guess(self) -> Figure | None:
        """What the state of now should take on that board; kept for the plot."""
        board = self._profiled()
        figure = self._session.estimate_latency(board) if board else None
        if figure is not None:
            self._expected[self._session.state.revision] = series.Guess(figure, on_board(board))
        return figure

    def _effects(self) -> tuple[Sensitivity, ...]:
        return tuple(self._sensed) or self._session.state.sensitivity

    def _comparison(self) -> tuple[Comparison | None, bool]:
        """Of this revision: finished, else so far, else the one of the state before (then True)."""
        done = self._session.measured
        if done is not None and done.comparison is not None:
            self._last = done.comparison
            return done.comparison, False
        so_far = self._so_far
        if so_far is not None and so_far.revision == self._session.state.revision and so_far.comparison:
            self._last = so_far.comparison
            return so_far.comparison, False
        return self._last, self._last is not None

    def _show_cards(self) -> None:
        session, cards = self._session, self._page.cards
        attached = session.document is not None and session.document.data is not None
        found, old = self._comparison() if attached else (None, False)
        busy = self._bridge.busy(MEASURE)
        built = session.artifact.bytes if session.artifact else None
        pair = session.measured.pair if session.measured else None
        off, points = session.estimate_error
        size = faces.size(session.facts.file_bytes, session.estimate(), built)
        cards.size.show_face(faces.with_miss(size, off, "%"))
        cards.accuracy.retitle(_accuracy_title(found))
        cards.accuracy.show_face(faces.accuracy(found, attached, busy, old))
        cards.difference.show_face(faces.with_miss(self._difference(found, attached, old), points, "pp"))
        cards.latency.show_face(faces.latency(pair, self._guess()))
        cards.accuracy.offer("" if attached else T.data_file)

    def _difference(self, found: Comparison | None, attached: bool, old: bool) -> Face:
        """What was measured of this state; before that what its curves foretell, where there are any."""
        busy = self._bridge.busy(MEASURE)
        guess = self._session.estimate_difference() if attached and (old or found is None) else None
        if guess:
            return faces.foreseen(guess, busy)
        held_out = self._session.measured.held_out if self._session.measured else None
        return faces.with_held_out(faces.difference(found, attached, busy, old), held_out, found)

    def _show_plots(self) -> None:
        session = self._session
        journal, found = session.journal, {each.revision: each for each in session.history}
        so_far = self._so_far
        if so_far is not None and so_far.revision not in found:
            found[so_far.revision] = so_far
        if session.artifact is None:
            self._estimates[session.state.revision] = session.estimate()
        self._plots.accuracies.show_series(series.accuracy(journal, found), self._no_accuracy())
        self._plots.sizes.show_series(series.size(journal, found, self._estimates), T.plot_empty)
        self._plots.latencies.show_series(series.latency(journal, found, self._expected), T.plot_no_latency)

    def _no_accuracy(self) -> str:
        document = self._session.document
        return T.plot_empty if document is not None and document.data is not None else T.plot_no_data

    @Slot(object)
    def _take_partial(self, measured: Measured) -> None:
        if measured.revision != self._session.state.revision:
            return
        fresh = self._so_far is None or self._so_far.revision != measured.revision
        self._so_far = measured
        self._show(rows=fresh)

    @Slot(object)
    def _take_sensed(self, found: Sensitivity) -> None:
        self._sensed.append(found)
        self._show_rows()

    @Slot(str)
    def _take_mode(self, mode: str) -> None:
        """Who colours by noise wants it measured, where there is data and it is not known yet."""
        state, document = self._session.state, self._session.document
        asked = mode == "sqnr" and document is not None and document.data is not None
        if asked and state.drift_revision != state.revision and not self._bridge.busy(NOISE):
            self._page.graph.set_measuring(frozenset({mode}))
            self._bridge.noise()

    @Slot(object)
    def _take_end(self, outcome: Outcome) -> None:
        if outcome.lane == NOISE:
            self._page.graph.set_measuring(frozenset())
        if outcome.lane == SENSE:
            self._sensed = []
        if outcome.lane == MEASURE and isinstance(outcome.value, Changed):
            if isinstance(outcome.value.value, Measured):
                self._rest.start()
            self._show_cards()

    @Slot()
    def _time(self) -> None:
        """After a measurement has come to rest: time the same file."""
        done = self._session.measured
        if done is not None and done.pair is None and not self._bridge.busy(MEASURE):
            self._bridge.time()


def _accuracy_title(found: Comparison | None) -> str:
    if found is None:
        return T.card_accuracy
    return T.card_agreement if found.metric == "agreement" else f"{T.card_accuracy} ({found.metric})"
