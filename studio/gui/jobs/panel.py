"""The jobs panel: bars of what runs, results of what ran; Delete cancels the chosen job."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolButton,
)

from studio.gui.bridge import Bridge
from studio.gui.jobs.model import Column, JobsModel
from studio.gui.jobs.rows import Row, State
from studio.gui.looks import fonts, icons
from studio.gui.looks.theme import Look
from studio.gui.panel import Panel, label
from studio.gui.tables import ROW, Index, dress_table
from studio.gui.texts.texts import T

_ROW, _TICK_MS = 32, 500
_TONES = {State.DONE: "good", State.FAILED: "bad", State.CANCELLED: "muted"}
_MARKS = {State.DONE: "check", State.FAILED: "error", State.CANCELLED: "close"}


class _Delegate(QStyledItemDelegate):
    """A bar while a job runs, a mark with a word when it has ended."""

    def __init__(self, look: Look, parent: QTableView) -> None:
        super().__init__(parent)
        self._look = look

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row, theme, cell = index.data(ROW), self._look.theme, QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(cell, QColor(theme.accent_soft))
        painter.fillRect(QRectF(cell.left(), cell.bottom() - 1, cell.width(), 1), QColor(theme.line))
        if index.column() == Column.PROGRESS:
            self._progress(painter, cell, row, index.data())
        else:
            tone = theme.bad if row.state is State.FAILED and index.column() == Column.RESULT else theme.text
            strong = index.column() == Column.NAME
            self._text(painter, cell.adjusted(10, 0, -6, 0), index.data(), tone, strong)
        painter.restore()

    def _progress(self, painter: QPainter, cell: QRectF, row: Row, text: str) -> None:
        theme = self._look.theme
        if row.state is not State.RUNNING:
            tone = getattr(theme, _TONES[row.state])
            mark = QRectF(cell.left() + 10, cell.center().y() - 7, 14, 14)
            icons.paint(painter, _MARKS[row.state], tone, mark)
            self._text(painter, cell.adjusted(30, 0, -4, 0), text, tone)
            return
        bar = QRectF(cell.left() + 10, cell.center().y() - 3, cell.width() - 70, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(bar, 3, 3)
        painter.setBrush(QColor(theme.accent))
        painter.drawRoundedRect(bar.adjusted(0, 0, -bar.width() * (1 - row.fraction), 0), 3, 3)
        self._text(painter, cell.adjusted(cell.width() - 52, 0, -4, 0), text, theme.text)

    def _text(self, painter: QPainter, box: QRectF, text: str, colour: str, strong: bool = False) -> None:
        painter.setFont(fonts.medium() if strong else fonts.font())
        painter.setPen(QColor(colour))
        line = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(box.width()))
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line)


class JobsView(QTableView):
    """Newest first; Delete cancels what is chosen."""

    def __init__(self, bridge: Bridge, look: Look) -> None:
        super().__init__()
        self._bridge = bridge
        self.source = JobsModel(self)
        self.setModel(self.source)
        self.setItemDelegate(_Delegate(look, self))
        dress_table(self, T.jobs, _ROW).setStretchLastSection(True)
        for column, width in ((Column.NAME, 260), (Column.PROGRESS, 220), (Column.TIME, 110)):
            self.setColumnWidth(column, width)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.cancel_chosen()
            return
        super().keyPressEvent(event)

    def cancel_chosen(self) -> None:
        """Ask the chosen job to stop, else the newest that runs."""
        row = self.currentIndex().data(ROW) if self.currentIndex().isValid() else None
        if not isinstance(row, Row) or row.state is not State.RUNNING:
            row = next(iter(self.source.running), None)
        if row is not None:
            self.source.stop(row.ticket)
            self._bridge.cancel_job(row.ticket)


class JobsPanel(Panel):
    """Nothing in it is ever modal."""

    def __init__(self, bridge: Bridge, look: Look) -> None:
        self._stack = QStackedWidget()
        super().__init__(T.jobs, self._stack)
        self.view = JobsView(bridge, look)
        self._none = label(T.jobs_none, quiet=True)
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for widget in (self._none, self.view):
            self._stack.addWidget(widget)
        self.stop = self._button(T.jobs_cancel, self.view.cancel_chosen)
        self.clear = self._button(T.jobs_clear, self.view.source.clear)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.view.source.tick)
        bridge.started.connect(self.view.source.begin)
        bridge.advanced.connect(self.view.source.advance)
        bridge.ended.connect(self.view.source.end)
        for signal in (self.view.source.rowsInserted, self.view.source.rowsRemoved):
            signal.connect(self._count)
        self.view.source.dataChanged.connect(self._count)
        self._count()

    def _button(self, text: str, act: object) -> QToolButton:
        made = QToolButton()
        made.setText(text)
        made.setAccessibleName(text)
        made.clicked.connect(act)
        self.tools.addWidget(made)
        return made

    def _count(self) -> None:
        running = len(self.view.source.running)
        self.say(T.jobs_running.format(n=running) if running else "")
        self.stop.setEnabled(bool(running))
        self.clear.setEnabled(self.view.source.rowCount() > running)
        self._stack.setCurrentWidget(self.view if self.view.source.rowCount() else self._none)
        if bool(running) != self._timer.isActive():
            (self._timer.start if running else self._timer.stop)()
