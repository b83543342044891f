"""The table itself: sliders under the mouse and under ←/→, one edit for all selected rows."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from studio.gui.layers import heads, track
from studio.gui.layers.columns import widths
from studio.gui.layers.delegate import HEIGHT, LayersDelegate
from studio.gui.layers.groups import Group
from studio.gui.layers.model import ROW, Column, Index, LayersModel
from studio.gui.layers.proxy import LayersProxy
from studio.gui.layers.rows import Row
from studio.gui.looks import fonts
from studio.gui.looks.theme import Look
from studio.gui.texts.texts import T
from studio.recipe.settings import Settings

_MEASURED, _AROUND_NAME = 400, 26
_SLIDERS = (Column.BITS, Column.SPARSITY)
_FINE = Qt.KeyboardModifier.ShiftModifier


class LayersView(QTableView):
    """Sends `edited(names, settings, drag)`; `drag` is one token per drag, "" for a key press."""

    edited = Signal(object, object, str)
    dragged = Signal(bool)
    chosen = Signal(object)
    grouped = Signal(bool)

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = LayersModel(self)
        self.proxy = LayersProxy(self.source, self)
        self.setModel(self.proxy)
        self.painter_of_rows = LayersDelegate(look, self)
        self.setItemDelegate(self.painter_of_rows)
        self._tokens = itertools.count(1)
        self._drag: tuple[Index, str] | None = None
        self._last: float | None = None
        self._known = False, False, False
        self._longest = 0
        self._arrange()
        self.selectionModel().selectionChanged.connect(self._selected)

    def _arrange(self) -> None:
        self.setAccessibleName(T.layers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setSortingEnabled(True)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(HEIGHT)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        head.setSortIndicatorClearable(True)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head.setFixedHeight(36)
        head.setMinimumSectionSize(40)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow table the names and the sliders keep their room, and the rest steps back."""
        super().resizeEvent(event)
        self.spread()

    def show_known(self, effects: bool, noise: bool, times: bool = False) -> None:
        """Whether there are effects, noise and times to show."""
        if (effects, noise, times) != self._known:
            self._known = effects, noise, times
            self.spread()

    def spread(self) -> None:
        """Share the room among the columns."""
        for column, width in widths(self.viewport().width(), self._longest, *self._known).items():
            self.setColumnHidden(column, not width)
            if width:
                self.setColumnWidth(column, width)

    def measure_names(self) -> None:
        """Find out what the longest name needs, and share the room anew."""
        metrics = QFontMetrics(fonts.medium())
        names = (row.name for row in self.source.rows[:_MEASURED])
        self._longest = max((metrics.horizontalAdvance(name) for name in names), default=0) + _AROUND_NAME
        self.spread()

    def group(self, on: bool) -> None:
        """List layers under the scopes that they belong to, or all in a row."""
        self.proxy.group(on)
        self.painter_of_rows.scopes = self.proxy.scopes if on else {}
        self.viewport().update()
        self.grouped.emit(on)

    # What is chosen.

    def names(self) -> tuple[str, ...]:
        """Names of the selected layers, top to bottom; the head of a scope stands for all in it."""
        places = sorted(self.selectionModel().selectedRows(), key=lambda each: each.row())
        found: dict[str, None] = {}
        for row in (each.data(ROW) for each in places):
            found |= dict.fromkeys(row.members if isinstance(row, Group) else (row.name,))
        return tuple(found)

    def select(self, names: tuple[str, ...]) -> None:
        """Select these layers without telling `chosen`."""
        if names == self.names():
            return
        self.proxy.show_layers(names)
        picked = QItemSelection()
        for name in names:
            place = self.source.place(name)
            index = self.proxy.mapFromSource(self.source.index(place, 0)) if place is not None else None
            if index is not None and index.isValid():
                picked.select(index, index)
        self._quiet_select(picked)

    def _quiet_select(self, picked: QItemSelection) -> None:
        flag = QItemSelectionModel.SelectionFlag
        blocked = self.blockSignals(True)
        self.selectionModel().select(picked, flag.ClearAndSelect | flag.Rows)
        self.blockSignals(blocked)
        if picked.indexes():
            self.scrollTo(picked.indexes()[0])
        self._light()

    def _selected(self) -> None:
        self._light()
        self.chosen.emit(self.names())

    def _light(self) -> None:
        rows = self.source.find(self.names())
        self.painter_of_rows.lit = frozenset(name for row in rows if row.shared for name in row.members)
        self.viewport().update()

    # Sliders.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if self._on_sign(index, event.position().x()):
            self._toggle(index)
            return
        if event.button() == Qt.MouseButton.LeftButton and self._on_slider(index, event.position().x()):
            if index.data(ROW).name not in self.names():
                self.setCurrentIndex(index)
            flag = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flag.NoUpdate)
            self._drag, self._last = (index, f"slider-{id(self)}-{next(self._tokens)}"), None
            self.dragged.emit(True)
            self._drag_to(event)
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag_to(event)
            return
        index = self.indexAt(event.position().toPoint())
        over = self._on_slider(index, event.position().x())
        self.viewport().setCursor(Qt.CursorShape.SizeHorCursor if over else Qt.CursorShape.ArrowCursor)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is None:
            super().mouseReleaseEvent(event)
            return
        self._drag = None
        self.source.let_go()
        self.dragged.emit(False)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if isinstance(index.data(ROW), Group) and not self._on_sign(index, event.position().x()):
            self._toggle(index)
        else:
            super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if isinstance(self.currentIndex().data(ROW), Group) and self._open_key(event):
            return
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        index = self.currentIndex()
        if steps is None or not index.isValid() or index.column() not in _SLIDERS:
            super().keyPressEvent(event)
            return
        row, column = index.data(ROW), Column(index.column())
        if track.movable(row, column):
            fine = bool(event.modifiers() & _FINE)
            self._edit(row, column, track.stepped(row, column, steps, fine), "")

    # Scopes.

    def _on_sign(self, index: Index, x: float) -> bool:
        """Whether `x` is on the triangle of a scope's head."""
        return isinstance(index.data(ROW), Group) and x < heads.SIGN and index.column() == Column.NAME

    def _toggle(self, index: Index) -> None:
        group = index.data(ROW)
        self.proxy.open(group.name, not group.open)

    def _open_key(self, event: QKeyEvent) -> bool:
        """Right opens a scope, left shuts it, Return does the other of both; whether it was such a key."""
        group = self.currentIndex().data(ROW)
        wanted = {Qt.Key.Key_Left: False, Qt.Key.Key_Right: True, Qt.Key.Key_Return: not group.open}
        if event.key() not in wanted:
            return False
        self.proxy.open(group.name, wanted[Qt.Key(event.key())])
        return True

    def _on_slider(self, index: Index, x: float) -> bool:
        if not index.isValid() or index.column() not in _SLIDERS or isinstance(index.data(ROW), Group):
            return False
        line = track.track(QRectF(self._cell(index)))
        inside = line.left() - track.PAD <= x <= line.right() + track.PAD
        return inside and track.movable(index.data(ROW), Column(index.column()))

    def _cell(self, index: Index) -> QRectF:
        return QRectF(self.visualRect(index))

    def _drag_to(self, event: QMouseEvent) -> None:
        if self._drag is None:
            return
        index, token = self._drag
        row, column = index.data(ROW), Column(index.column())
        fine = bool(event.modifiers() & _FINE)
        value = track.value_at(row, column, self._cell(index), event.position().x(), fine)
        if value != self._last and (self._last is not None or value != track.current(row, column)):
            self._edit(row, column, value, token)
        self._last = value

    def _edit(self, row: Row, column: Column, value: float, token: str) -> None:
        rows = self._rows_for(row)
        if column == Column.BITS:
            names = tuple(each.name for each in rows if value in each.stops)
            settings = Settings(bits=int(value))
        else:
            names = tuple(dict.fromkeys(each.group or each.name for each in rows if each.sparse))
            settings = Settings(sparsity=value)
        if token:
            self._hold(rows, column, value)
        self.edited.emit(names, settings, token)

    def _rows_for(self, row: Row) -> tuple[Row, ...]:
        names = self.names()
        chosen = names if row.name in names else (row.name,)
        return self.source.find(chosen)

    def _hold(self, rows: tuple[Row, ...], column: Column, value: float) -> None:
        if column == Column.BITS:
            self.source.hold((each.name for each in rows if value in each.stops), bits=int(value))
            return
        names = {name for each in rows for name in (each.members or (each.name,)) if each.sparse}
        self.source.hold((name for name in names if self.source.place(name) is not None), sparsity=value)
