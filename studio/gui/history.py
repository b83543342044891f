"""The history of edits as a list: what was done, what came of it; a click goes back (or forth) there."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from studio.gui.bridge import Bridge
from studio.gui.looks import fonts, numbers
from studio.gui.panel import Panel
from studio.gui.texts.texts import T
from studio.project.changes import Measured

_ROW = 30


class History(Panel):
    """Newest first. States ahead of where we are stay listed until another edit lets them go."""

    def __init__(self, bridge: Bridge) -> None:
        self.list = QListWidget()
        super().__init__(T.history, self.list)
        self._bridge = bridge
        self.list.setAccessibleName(T.history)
        self.list.itemActivated.connect(self._go)
        self.list.itemClicked.connect(self._go)
        bridge.changed.connect(self._show)

    @Slot()
    def _show(self) -> None:
        session = self._bridge.session
        if session.document is None:
            return
        journal, found = session.journal, {each.revision: each for each in session.history}
        lines = [_line(step.label, found.get(step.document.revision)) for step in journal.steps]
        self.say(T.history_at.format(at=journal.at + 1, of=len(lines)))
        blocked = self.list.blockSignals(True)
        _resize(self.list, len(lines))
        for step, line in enumerate(lines):
            item = self.list.item(len(lines) - 1 - step)
            item.setText(line)
            item.setData(Qt.ItemDataRole.UserRole, step)
            item.setFont(fonts.strong() if step == journal.at else fonts.font())
        self.list.setCurrentRow(len(lines) - 1 - journal.at)
        self.list.blockSignals(blocked)

    def _go(self, item: QListWidgetItem) -> None:
        step = int(item.data(Qt.ItemDataRole.UserRole))
        if step != self._bridge.session.journal.at:
            self._bridge.goto(step)


def _line(label: str, measured: Measured | None) -> str:
    parts = [label]
    if measured is not None:
        parts.append(numbers.size(measured.artifact.bytes))
        if measured.comparison is not None:
            parts += [
                numbers.value(measured.comparison.optimized),
                numbers.value(measured.comparison.difference),
            ]
        held_out = measured.held_out
        if held_out is not None and held_out != measured.comparison:
            figure = held_out.difference
            parts.append(T.card_held_out.format(value=numbers.value(figure), n=numbers.whole(figure.n)))
    return "   ·   ".join(parts)


def _resize(list_: QListWidget, rows: int) -> None:
    while list_.count() > rows:
        list_.takeItem(0)
    while list_.count() < rows:
        item = QListWidgetItem()
        item.setSizeHint(QSize(200, _ROW))
        list_.addItem(item)
