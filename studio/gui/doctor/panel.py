"""The doctor's panel: a list of proven causes, the layer of each, and a button that applies its fix."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHeaderView, QStackedWidget, QTableView, QToolButton

from studio.doctor.examine import ranked
from studio.doctor.findings import Diagnosis, Finding
from studio.gui.bridge import DOCTOR
from studio.gui.desk import Desk
from studio.gui.doctor import words
from studio.gui.doctor.model import Column, FindingsModel
from studio.gui.panel import Panel, label
from studio.gui.tables import ROW, dress_table
from studio.gui.texts.texts import T
from studio.jobs import Outcome
from studio.project import changes
from studio.project.changes import Changed

_HEIGHT = 34
_WIDTHS = ((Column.WHERE, 170), (Column.FIX, 250), (Column.GAIN, 120))
_OLD = frozenset({changes.RECIPE, changes.DATA, changes.MODEL})


class DoctorPanel(Panel):
    """Findings come as they are proven; an edit makes them those of an earlier state."""

    def __init__(self, desk: Desk) -> None:
        self._stack = QStackedWidget()
        super().__init__(T.doctor, self._stack)
        self._bridge, self._selection = desk.bridge, desk.selection
        self.source, self.table, self.story = (
            FindingsModel(self),
            QTableView(),
            label(T.doctor_how, quiet=True),
        )
        self._revision, self._ticket = 0, 0  # ticket of the job that runs, 0 where none does
        self.run, self.apply = self._button(T.doctor_run), self._button(T.doctor_apply)
        self.apply.setToolTip(T.doctor_apply_tip)
        self._arrange()
        self.run.clicked.connect(self._ask)
        self.apply.clicked.connect(self._apply)
        self.table.selectionModel().selectionChanged.connect(self._choose)
        desk.bridge.started.connect(self._take_start)
        desk.bridge.proven.connect(self._take_proven)
        desk.bridge.ended.connect(self._take_end)
        desk.bridge.changed.connect(self._take)
        self._show()

    def _button(self, text: str) -> QToolButton:
        made = QToolButton()
        made.setText(text)
        made.setAccessibleName(text)
        self.tools.addWidget(made)
        return made

    def _arrange(self) -> None:
        self.story.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.story.setWordWrap(True)
        table = self.table
        table.setModel(self.source)
        table.setObjectName("padded")
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideRight)
        head = dress_table(table, T.doctor_table, _HEIGHT)
        for column in (Column.CAUSE, Column.EVIDENCE):
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS:
            table.setColumnWidth(column, width)
        for widget in (self.story, table):
            self._stack.addWidget(widget)

    @property
    def chosen(self) -> Finding | None:
        """The finding that Apply is for."""
        found = self.table.currentIndex().data(ROW) if self.table.currentIndex().isValid() else None
        return found if isinstance(found, Finding) else None

    @property
    def fresh(self) -> bool:
        """Whether the findings are those of the current state."""
        return self._revision == self._bridge.session.state.revision

    @Slot()
    def _ask(self) -> None:
        if self._ticket:
            self._bridge.cancel(DOCTOR)
            return
        self._revision = self._bridge.session.state.revision
        self.source.show_rows(())
        self.story.setText(T.doctor_running)
        self._bridge.diagnose()
        self._show()

    @Slot()
    def _apply(self) -> None:
        finding = self.chosen
        if finding is not None and finding.fix.applicable and self.fresh:
            self._bridge.apply_fix(finding)

    @Slot()
    def _choose(self) -> None:
        finding = self.chosen
        if finding is not None and finding.where:
            self._selection.choose(finding.where)
        self._show()

    @Slot(str, str, int)
    def _take_start(self, lane: str, name: str, ticket: int) -> None:
        if lane == DOCTOR:
            self._ticket = ticket

    @Slot(object)
    def _take_proven(self, finding: Finding) -> None:
        if not self._ticket:
            return  # of a model that was closed meanwhile
        self.source.show_rows(ranked((*self.source.findings, finding)))
        self._show()

    @Slot(object)
    def _take_end(self, outcome: Outcome) -> None:
        if outcome.lane != DOCTOR or outcome.ticket != self._ticket:
            return
        self._ticket = 0
        found = outcome.value.value if isinstance(outcome.value, Changed) else None
        self.story.setText(T.doctor_how)
        if isinstance(found, Diagnosis):
            self.source.show_rows(found.findings)
            self.story.setText(words.nothing(found))
            self.say(T.doctor_found.format(n=len(found.findings), tried=found.tried))
            if found.findings:
                self.table.selectRow(0)
                if not self.fresh:
                    self.say(T.doctor_stale)
        self._show()

    @Slot(object)
    def _take(self, change: Changed[Any]) -> None:
        if changes.MODEL in change:
            if self._ticket:
                self._bridge.cancel(DOCTOR)
                self._ticket = 0
            self.source.show_rows(())
            self.story.setText(T.doctor_how)
            self.say("")
        elif change.what & _OLD and self.source.findings and not self.fresh:
            self.say(T.doctor_stale)
        self._show()

    def _show(self) -> None:
        document, busy = self._bridge.session.document, bool(self._ticket)
        attached = document is not None and document.data is not None
        if not attached:
            self.story.setText(T.doctor_no_data)
        elif self.story.text() == T.doctor_no_data:
            self.story.setText(T.doctor_how)
        self.run.setText(T.cancel if busy else T.doctor_run)
        self.run.setEnabled(attached)
        chosen = self.chosen
        self.apply.setEnabled(chosen is not None and chosen.fix.applicable and self.fresh)
        self._stack.setCurrentWidget(self.table if self.source.findings else self.story)
