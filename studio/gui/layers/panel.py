"""The layer panel: table, search field, and what to say when there is nothing to list."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QToolButton, QWidget

from studio.gui.layers.rows import Row
from studio.gui.layers.view import LayersView
from studio.gui.looks import icons
from studio.gui.looks.theme import Look
from studio.gui.panel import Panel, label
from studio.gui.texts.texts import T


class LayersPanel(Panel):
    """Owns the view; the window talks to `view` for edits and selection."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        self.view = LayersView(look)
        super().__init__(T.layers, self.view, parent)
        self._look = look
        self.search = QLineEdit()
        self.search.setPlaceholderText(T.layers_find_short)
        self.search.setToolTip(T.layers_find)
        self.search.setAccessibleName(T.layers_find)
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(190)
        self._lens = self.search.addAction(
            icons.icon("search", look.theme.muted), QLineEdit.ActionPosition.LeadingPosition
        )
        self.search.textChanged.connect(self._find)
        self.grouping = QToolButton()
        self.grouping.setCheckable(True)
        self.grouping.setIconSize(QSize(18, 18))
        self.grouping.setToolTip(T.layers_group)
        self.grouping.setAccessibleName(T.layers_group)
        self.grouping.toggled.connect(self.view.group)
        self.view.grouped.connect(self.grouping.setChecked)
        self.tools.addWidget(self.grouping)
        self.tools.addWidget(self.search)
        self._empty = self._overlay()
        look.changed.connect(self._dress)
        self._dress()

    def _overlay(self) -> QLabel:
        made = label(quiet=True)
        made.setParent(self.view.viewport())
        made.setAlignment(Qt.AlignmentFlag.AlignCenter)
        made.hide()
        self.view.viewport().installEventFilter(self)
        return made

    def set_rows(self, rows: tuple[Row, ...]) -> None:
        """Show these rows; the effect bars are scaled to the worst of them."""
        losses = [-row.effect.difference.value for row in rows if row.effect]
        self.view.painter_of_rows.worst = max([1.0, *losses])
        other = len(rows) != len(self.view.source.rows)
        self.view.source.set_rows(rows)
        noise, times = any(row.sqnr_db is not None for row in rows), any(row.times for row in rows)
        self.view.show_known(bool(losses), noise, times)
        if other:
            self.view.measure_names()
        self._count()

    def _find(self, text: str) -> None:
        self.view.proxy.find(text)
        self._count()

    def _count(self) -> None:
        shown, total = self.view.proxy.found, self.view.source.rowCount()
        self.say(str(total) if shown == total else T.layers_count.format(shown=shown, total=total))
        no_match = T.layers_no_match.format(text=self.search.text())
        self._empty.setText(no_match if total else T.layers_none)
        self._empty.setVisible(shown == 0)

    def _dress(self) -> None:
        theme = self._look.theme
        self.grouping.setIcon(icons.icon("tree", theme.text, theme.ghost))
        self._lens.setIcon(icons.icon("search", self._look.theme.muted))
        self.view.viewport().update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._empty.setGeometry(self.view.viewport().rect())
        return super().eventFilter(watched, event)
