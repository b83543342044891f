"""Paints the layer table: quiet text, sliders with the stops of the target, bytes before and after."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from studio.gui.layers import heads, ink, spark
from studio.gui.layers.groups import Group
from studio.gui.layers.model import ROW, Column, Index
from studio.gui.layers.rows import Row
from studio.gui.layers.track import movable, position, track
from studio.gui.layers.words import milliseconds, width_name
from studio.gui.looks import fonts, icons, numbers
from studio.gui.looks.theme import Look, Theme

HEIGHT = 36
_HANDLE = 6.5
_GROWN = 1.1  # a few scales more are no loss


class LayersDelegate(QStyledItemDelegate):
    """One delegate for every column. `lit` names the layers of the group under the hand, `scopes` holds the
    scope under whose head a layer stands, by layer.
    """

    def __init__(self, look: Look, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.look = look
        self.lit: frozenset[str] = frozenset()
        self.scopes: Mapping[str, str] = {}
        self.worst = 1.0

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(60, HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row, column, theme = index.data(ROW), Column(index.column()), self.look.theme
        cell = QRectF(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._ground(painter, cell, row, state, theme)
        if isinstance(row, Group):
            heads.PAINTERS[column](painter, cell, row, theme)
        else:
            _PAINTERS[column](self, painter, cell, row, theme)
        if state & QStyle.StateFlag.State_HasFocus and column in (Column.BITS, Column.SPARSITY):
            _ring(painter, cell, theme)
        painter.restore()

    def _ground(
        self, painter: QPainter, cell: QRectF, row: Row | Group, state: QStyle.StateFlag, theme: Theme
    ) -> None:
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(cell, QColor(theme.accent_soft))
        elif isinstance(row, Group):
            painter.fillRect(cell, QColor(theme.sunken))
        elif row.name in self.lit:
            painter.fillRect(cell, QColor(theme.raised))
        painter.fillRect(QRectF(cell.left(), cell.bottom() - 1, cell.width(), 1), QColor(theme.line))

    def name(self, painter: QPainter, cell: QRectF, row: Row, theme: Theme) -> None:
        if row.name in self.lit:
            bar = QRectF(cell.left(), cell.top() + 4, 3, cell.height() - 8)
            painter.fillRect(bar, QColor(theme.accent_text))
        scope = self.scopes.get(row.name, "")
        box = cell.adjusted(heads.SIGN if scope else 10, 0, -6, 0)
        if row.locked:
            icons.paint(painter, "lock", theme.warn, QRectF(cell.right() - 22, cell.center().y() - 8, 16, 16))
            box = box.adjusted(0, 0, -20, 0)
        painter.setFont(fonts.medium())
        name = row.name.lstrip("/").removeprefix(f"{scope}/") if scope else row.name
        ink.text(painter, box, name, theme.text, ink.LEFT, Qt.TextElideMode.ElideMiddle)

    def op(self, painter: QPainter, cell: QRectF, row: Row, theme: Theme) -> None:
        painter.setFont(fonts.font())
        ink.text(painter, cell.adjusted(10, 0, -4, 0), row.op, theme.muted, ink.LEFT)

    def params(self, painter: QPainter, cell: QRectF, row: Row, theme: Theme) -> None:
        painter.setFont(fonts.font())
        ink.text(painter, cell.adjusted(4, 0, -10, 0), numbers.count(row.params), theme.muted, ink.RIGHT)

    def bytes(self, painter: QPainter, cell: QRectF, row: Row, theme: Theme) -> None:
        after = numbers.size(row.after) if row.after != row.before else ""
        colour = theme.good if row.after < row.before else theme.muted
        colour = theme.bad if row.after > row.before * _GROWN else colour
        texts = numbers.size(row.before), after
        ink.before_after(painter, cell, texts, colour if row.real else theme.muted, row.real, theme)

    def bits(self, painter: QPainter, cell: QRectF, row: Row, theme: Theme) -> None:
        _slider(painter, cell, row, Column.BITS, theme)
        _chip(painter, cell, row, theme)

    def sparsity(self, painter: QPainter, cell: QRectF, row: Row, theme: Theme) -> None:
        _slider(painter, cell, row, Column.SPARSITY, theme)
        painter.setFont(fonts.font())
        box = QRectF(cell.right() - 58, cell.top(), 40, cell.height())
        text = numbers.percent(row.sparsity) if row.sparse else "—"
        ink.text(painter, box, text, theme.text if row.sparsity else theme.muted, ink.RIGHT)
        if row.refusal("sparsity", "structure"):
            ink.warning(painter, cell, theme)

    def effect(self, painter: QPainter, cell: QRectF, row: Row, theme: Theme) -> None:
        if row.effect is None:
            return
        room = QRectF(cell.left() + 8, cell.center().y() - 9, 42, 18)
        spark.paint(painter, room, row, self.worst, QColor(theme.accent_text), theme)
        painter.setFont(fonts.font())
        text = numbers.signed(row.effect.difference.value, 1)
        ink.text(painter, cell.adjusted(50, 0, -10, 0), text, theme.text, ink.RIGHT)

    def sqnr(self, painter: QPainter, cell: QRectF, row: Row, theme: Theme) -> None:
        painter.setFont(fonts.font())
        text = "–" if row.sqnr_db is None else f"{row.sqnr_db:.1f}"
        ink.text(painter, cell.adjusted(4, 0, -10, 0), text, theme.text, ink.RIGHT)

    def time(self, painter: QPainter, cell: QRectF, row: Row, theme: Theme) -> None:
        """As float and at 8 bits: red and with a sign where 8 bits are slower."""
        if row.times is None:
            return
        plain, eight = row.times.float_ms, row.times.int8_ms
        faster = plain is not None and eight is not None and eight < plain
        colour = theme.bad if row.times.loses else theme.good if faster else theme.muted
        texts = milliseconds(plain), milliseconds(eight)
        ink.before_after(painter, cell.adjusted(0, 0, -10, 0), texts, colour, True, theme)
        if row.times.loses:
            ink.warning(painter, cell, theme, theme.bad)


_PAINTERS = {
    Column.NAME: LayersDelegate.name,
    Column.OP: LayersDelegate.op,
    Column.PARAMS: LayersDelegate.params,
    Column.BYTES: LayersDelegate.bytes,
    Column.BITS: LayersDelegate.bits,
    Column.SPARSITY: LayersDelegate.sparsity,
    Column.EFFECT: LayersDelegate.effect,
    Column.SQNR: LayersDelegate.sqnr,
    Column.TIME: LayersDelegate.time,
}


def _slider(painter: QPainter, cell: QRectF, row: Row, column: Column, theme: Theme) -> None:
    line, y = track(cell), cell.center().y()
    if not movable(row, column):
        return
    x = line.left() + position(row, column) * line.width()
    painter.setPen(QPen(QColor(theme.line_strong), 3, c=Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(line.left(), y), QPointF(line.right(), y))
    painter.setPen(QPen(QColor(theme.accent), 3, c=Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(line.left(), y), QPointF(x, y))
    if column == Column.BITS:
        _stops(painter, line, y, row, x, theme)
    painter.setPen(QPen(QColor(theme.accent_text), 2))
    painter.setBrush(QColor(theme.surface))
    painter.drawEllipse(QPointF(x, y), _HANDLE, _HANDLE)


def _stops(painter: QPainter, line: QRectF, y: float, row: Row, x: float, theme: Theme) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    for place in range(len(row.stops)):
        at = line.left() + place / (len(row.stops) - 1) * line.width()
        painter.setBrush(QColor(theme.accent_text if at <= x else theme.ghost))
        painter.drawEllipse(QPointF(at, y), 2.2, 2.2)


def _chip(painter: QPainter, cell: QRectF, row: Row, theme: Theme) -> None:
    ground, colour = _chip_colours(row.bits, theme)
    box = QRectF(cell.right() - 62, cell.center().y() - 9.5, 46, 19)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ground))
    painter.drawRoundedRect(box, 6, 6)
    painter.setFont(fonts.strong(11))
    ink.text(painter, box, width_name(row.bits), colour, ink.CENTRE)
    if row.refusal("bits", "activations"):
        ink.warning(painter, cell, theme)


def _chip_colours(bits: int, theme: Theme) -> tuple[str, str]:
    if bits >= 16:
        return theme.raised, theme.muted
    if bits == 8:
        return theme.accent_soft, theme.accent_text
    return theme.good_soft, theme.good


def _ring(painter: QPainter, cell: QRectF, theme: Theme) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(theme.accent_text), 1))
    painter.drawRoundedRect(cell.adjusted(1.5, 2.5, -1.5, -2.5), 6, 6)
