"""What a layer's group costs alone: points lost at each stop of its sliders, and where it stands now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from studio.gui.inspector.pictures import Picture, write
from studio.gui.looks.theme import Theme
from studio.gui.texts.texts import T
from studio.metrics import Sensitivity
from studio.recipe.resolve import LayerPlan

_LEAST = 1.0  # points that fill the height at least: less is noise
_GAP, _SIDE = 26.0, 34.0


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of a slider that was tried: its place, how it is written, and the points lost there."""

    text: str
    lost: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """Stops from harmless to harsh, the untouched original first. `at` is the place of now among them, which
    may lie between two; `name` is what the slider sets."""

    name: str
    stops: tuple[Stop, ...]
    at: float


def lines(found: Iterable[Sensitivity], group: str, plan: LayerPlan) -> tuple[Line, ...]:
    """The curves of `group` over bits and over sparsity, where there are any."""
    tried: dict[str, dict[float, Stop]] = {"bits": {}, "sparsity": {}}
    for each in found:
        name, _, value = each.setting.partition("=")
        if each.group == group and name in tried:
            tried[name][float(value)] = _stop(name, float(value), each)
    origin = {"bits": {32.0: Stop("32", 0.0, 0.0, 0.0)}, "sparsity": {0.0: Stop("0", 0.0, 0.0, 0.0)}}
    now = {"bits": float(plan.bits), "sparsity": plan.sparsity}
    made = []
    for name, stops in tried.items():
        if stops:
            ordered = sorted({**origin[name], **stops}.items(), reverse=name == "bits")
            at = _between([value for value, _ in ordered], now[name])
            made.append(Line(name, tuple(stop for _, stop in ordered), at))
    return tuple(made)


def _stop(name: str, value: float, each: Sensitivity) -> Stop:
    change = each.difference
    text = f"{value:g}" if name == "bits" else f"{value * 100:.0f}"
    low = change.value if change.low is None else change.low
    high = change.value if change.high is None else change.high
    return Stop(text, -change.value, -high, -low)


def _between(values: Sequence[float], here: float) -> float:
    """Where `here` lies among monotonic `values`, counted in places."""
    for place in range(len(values) - 1):
        left, right = values[place], values[place + 1]
        if min(left, right) <= here <= max(left, right):
            return place + (here - left) / (right - left)
    return 0.0 if abs(here - values[0]) < abs(here - values[-1]) else float(len(values) - 1)


class Curve(Picture):
    """A room for each line, side by side, over one scale of points."""

    legend = False
    lines: tuple[Line, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.lines)

    def show_lines(self, layer: str, found: tuple[Line, ...], remark: str = "") -> None:
        """Draw these, or the words of `empty` where there are none."""
        self.lines, self.remark = found, remark
        self.name_layer(layer)

    def draw(self, painter: QPainter, box: QRectF, theme: Theme) -> None:
        every = [stop for line in self.lines for stop in line.stops]
        top = max(_LEAST, *(stop.high for stop in every))
        bottom = min(0.0, *(stop.low for stop in every))
        box = box.adjusted(_SIDE, 4, 0, -2)
        self._scale(painter, box, top, bottom, theme)
        wide = (box.width() - _GAP * (len(self.lines) - 1)) / len(self.lines)
        for place, line in enumerate(self.lines):
            left = box.left() + place * (wide + _GAP)
            room = QRectF(left, box.top(), wide, box.height())
            _draw_line(painter, room, line, (bottom, top), theme)

    def _scale(self, painter: QPainter, box: QRectF, top: float, bottom: float, theme: Theme) -> None:
        for value in {0.0, top}:
            y = _y(box, value, (bottom, top))
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
            text = f"{value:.1f}"
            width = painter.fontMetrics().horizontalAdvance(text)
            write(painter, box.left() - width - 8, y + 4, text, theme)


def _y(box: QRectF, value: float, ends: tuple[float, float]) -> float:
    return box.bottom() - (value - ends[0]) / (ends[1] - ends[0]) * box.height()


def _draw_line(painter: QPainter, room: QRectF, line: Line, ends: tuple[float, float], theme: Theme) -> None:
    step = room.width() / max(len(line.stops) - 1, 1)
    points = [QPointF(room.left() + at * step, _y(room, s.lost, ends)) for at, s in enumerate(line.stops)]
    _draw_now(painter, room, line, points, theme)
    painter.setPen(QPen(QColor(theme.ghost), 1))
    for point, stop in zip(points, line.stops, strict=True):
        high, low = _y(room, stop.high, ends), _y(room, stop.low, ends)
        painter.drawLine(QPointF(point.x(), high), QPointF(point.x(), low))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(theme.accent_text), 1.6))
    painter.drawPolyline(QPolygonF(points))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.accent_text))
    for point in points:
        painter.drawEllipse(point, 2.2, 2.2)
    _mark_now(painter, line, points, theme)
    _names(painter, room, line, points, theme)


def _here(line: Line, points: Sequence[QPointF]) -> QPointF:
    first = min(int(line.at), len(points) - 1)
    last = min(first + 1, len(points) - 1)
    return points[first] + (points[last] - points[first]) * (line.at - first)


def _draw_now(painter: QPainter, room: QRectF, line: Line, points: Sequence[QPointF], theme: Theme) -> None:
    x = _here(line, points).x()
    painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))


def _mark_now(painter: QPainter, line: Line, points: Sequence[QPointF], theme: Theme) -> None:
    painter.setPen(QPen(QColor(theme.surface), 1.5))
    painter.setBrush(QColor(theme.text))
    painter.drawEllipse(_here(line, points), 4.5, 4.5)


def _names(painter: QPainter, room: QRectF, line: Line, points: Sequence[QPointF], theme: Theme) -> None:
    """The stops that there is room for, and what they are stops of."""
    unit = {"bits": T.curve_bits, "sparsity": f"% {T.curve_sparsity}"}[line.name]
    metrics, free = painter.fontMetrics(), room.left() - _GAP / 2
    last = len(points) - 1
    end = points[last].x() + metrics.horizontalAdvance(f"{line.stops[last].text} {unit}") / 2
    shift = min(room.right() + _GAP / 2 - 4 - end, 0.0)
    for place, (point, stop) in enumerate(zip(points, line.stops, strict=True)):
        text = f"{stop.text} {unit}" if place == last else stop.text
        width = metrics.horizontalAdvance(text)
        x = point.x() - width / 2 + (shift if place == last else 0.0)
        ahead = end + shift - metrics.horizontalAdvance(f"{line.stops[last].text} {unit}") - 6
        if x >= free and (place == last or x + width < ahead):
            write(painter, x, room.bottom() + 18, text, theme)
            free = x + width + 6
