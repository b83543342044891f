"""Paints the head of a scope: its name, and sums where there are any."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from studio.gui.layers import groups, ink
from studio.gui.layers.groups import Group
from studio.gui.layers.model import Column
from studio.gui.layers.words import milliseconds
from studio.gui.looks import fonts, numbers
from studio.gui.looks.theme import Theme

SIGN = 28.0  # the triangle's room, and how far the layers below are set in
_OPEN = ((-4.5, -2.5), (4.5, -2.5), (0.0, 3.5))
_SHUT = ((-2.5, -4.5), (-2.5, 4.5), (3.5, 0.0))


def _name(painter: QPainter, cell: QRectF, group: Group, theme: Theme) -> None:
    middle = QPointF(cell.left() + SIGN / 2 + 1, cell.center().y())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.muted))
    corners = _OPEN if group.open else _SHUT
    painter.drawPolygon(QPolygonF([middle + QPointF(x, y) for x, y in corners]))
    painter.setFont(fonts.strong())
    count, box = f"{len(group.rows)}", cell.adjusted(SIGN, 0, -6, 0)
    room = box.width() - painter.fontMetrics().horizontalAdvance(count) - 8
    shown = painter.fontMetrics().elidedText(group.name, Qt.TextElideMode.ElideMiddle, int(room))
    ink.text(painter, box, shown, theme.text, ink.LEFT)
    after = box.adjusted(painter.fontMetrics().horizontalAdvance(shown) + 8, 0, 0, 0)
    painter.setFont(fonts.font())
    ink.text(painter, after, count, theme.muted, ink.LEFT)


def _params(painter: QPainter, cell: QRectF, group: Group, theme: Theme) -> None:
    painter.setFont(fonts.medium())
    ink.text(painter, cell.adjusted(4, 0, -10, 0), numbers.count(group.params), theme.text, ink.RIGHT)


def _bytes(painter: QPainter, cell: QRectF, group: Group, theme: Theme) -> None:
    after = numbers.size(group.after) if group.after != group.before else ""
    colour = theme.good if group.after < group.before else theme.muted
    texts = numbers.size(group.before), after
    ink.before_after(painter, cell, texts, colour if group.real else theme.muted, group.real, theme)


def _bits(painter: QPainter, cell: QRectF, group: Group, theme: Theme) -> None:
    """In the place of the chips below where it is one width."""
    low, high = group.bits
    chip = QRectF(cell.right() - 62, cell.top(), 46, cell.height())
    painter.setFont(fonts.strong(11))
    box = chip if low == high else cell.adjusted(8, 0, -18, 0)
    ink.text(painter, box, groups.width(group), theme.muted, ink.CENTRE if low == high else ink.RIGHT)


def _sparsity(painter: QPainter, cell: QRectF, group: Group, theme: Theme) -> None:
    painter.setFont(fonts.font())
    said = numbers.percent(group.sparsity)
    ink.text(painter, cell.adjusted(8, 0, -18, 0), said, theme.muted, ink.RIGHT)


def _figure(painter: QPainter, cell: QRectF, said: str, theme: Theme) -> None:
    painter.setFont(fonts.font())
    ink.text(painter, cell.adjusted(4, 0, -10, 0), said, theme.muted, ink.RIGHT)


def _effect(painter: QPainter, cell: QRectF, group: Group, theme: Theme) -> None:
    if group.effect is not None:
        _figure(painter, cell, numbers.signed(group.effect.difference.value, 1), theme)


def _sqnr(painter: QPainter, cell: QRectF, group: Group, theme: Theme) -> None:
    _figure(painter, cell, groups.text(group, Column.SQNR), theme)


def _time(painter: QPainter, cell: QRectF, group: Group, theme: Theme) -> None:
    times = group.times
    if times is not None:
        colour = theme.bad if times.loses else theme.muted
        texts = milliseconds(times.float_ms), milliseconds(times.int8_ms)
        ink.before_after(painter, cell.adjusted(0, 0, -10, 0), texts, colour, True, theme)


def _nothing(painter: QPainter, cell: QRectF, group: Group, theme: Theme) -> None:
    pass


PAINTERS: dict[Column, Callable[[QPainter, QRectF, Group, Theme], None]] = {
    Column.NAME: _name,
    Column.OP: _nothing,
    Column.PARAMS: _params,
    Column.BYTES: _bytes,
    Column.BITS: _bits,
    Column.SPARSITY: _sparsity,
    Column.EFFECT: _effect,
    Column.SQNR: _sqnr,
    Column.TIME: _time,
}
