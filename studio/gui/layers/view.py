"""The table itself: sliders under the mouse and under ←/→, one edit for all selected rows."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QRectF, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from studio.gui import fonts
from studio.gui.layers import track
from studio.gui.layers.columns import widths
from studio.gui.layers.delegate import HEIGHT, LayersDelegate
from studio.gui.layers.model import ROW, SORT, Column, Index, LayersModel
from studio.gui.layers.rows import Row
from studio.gui.texts import T
from studio.gui.theme import Look
from studio.recipe.settings import Settings

_MEASURED, _AROUND_NAME = 400, 26
_SLIDERS = (Column.BITS, Column.SPARSITY)
_FINE = Qt.KeyboardModifier.ShiftModifier


class LayersProxy(QSortFilterProxyModel):
    """Sorts by raw values and finds text in the name, op and group of a layer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(SORT)
        self.setDynamicSortFilter(False)  # a row must not jump away under the hand that slides it
        self._wanted = ""

    def find(self, text: str) -> None:
        """Show only layers that hold every word of `text`."""
        self._wanted = text.lower()
        self.invalidate()

    def filterAcceptsRow(self, place: int, parent: Index) -> bool:  # noqa: N802 - Qt's own name
        model = self.sourceModel()
        row = model.rows[place] if isinstance(model, LayersModel) else None
        held = f"{row.name} {row.op} {row.group}".lower() if row else ""
        return all(word in held for word in self._wanted.split())


class LayersView(QTableView):
    """Sends `edited(names, settings, drag)`; `drag` is one token per drag, "" for a key press."""

    edited = Signal(object, object, str)
    dragged = Signal(bool)
    chosen = Signal(object)

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = LayersModel(self)
        self.proxy = LayersProxy(self)
        self.proxy.setSourceModel(self.source)
        self.setModel(self.proxy)
        self.painter_of_rows = LayersDelegate(look, self)
        self.setItemDelegate(self.painter_of_rows)
        self._tokens = itertools.count(1)
        self._drag: tuple[Index, str] | None = None
        self._last: float | None = None
        self._known = False, False, False
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
        for column, width in widths(self.viewport().width(), self._name_width(), *self._known).items():
            self.setColumnHidden(column, not width)
            if width:
                self.setColumnWidth(column, width)

    def _name_width(self) -> int:
        metrics = QFontMetrics(fonts.medium())
        return (
            max((metrics.horizontalAdvance(row.name) for row in self.source.rows[:_MEASURED]), default=0) + 26
        )

    # What is chosen.

    def names(self) -> tuple[str, ...]:
        """Names of the selected layers, top to bottom."""
        places = self.selectionModel().selectedRows()
        return tuple(each.data(ROW).name for each in sorted(places, key=lambda each: each.row()))

    def select(self, names: tuple[str, ...]) -> None:
        """Select these layers without telling `chosen`."""
        if names == self.names():
            return
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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        index = self.currentIndex()
        if steps is None or not index.isValid() or index.column() not in _SLIDERS:
            super().keyPressEvent(event)
            return
        row, column = index.data(ROW), Column(index.column())
        if track.movable(row, column):
            fine = bool(event.modifiers() & _FINE)
            self._edit(row, column, track.stepped(row, column, steps, fine), "")

    def _on_slider(self, index: Index, x: float) -> bool:
        if not index.isValid() or index.column() not in _SLIDERS:
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
