"""Small pictures as inline SVG: no script, colours from the page's style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from markupsafe import Markup, escape

WIDTH, LABEL, VALUE, ROW = 940, 230, 110, 26


@dataclass(frozen=True, slots=True)
class Bar:
    """One horizontal bar; `tone` is a class of the style sheet (`before`, `after`, `bad`)."""

    label: str
    value: float
    text: str
    tone: str = "after"


@dataclass(frozen=True, slots=True)
class Whisker:
    """A point with its interval."""

    label: str
    value: float
    low: float
    high: float
    text: str
    tone: str = "after"


def bars(rows: Sequence[Bar], title: str) -> Markup:
    """Horizontal bars from zero, one row each."""
    largest = max((row.value for row in rows), default=0.0) or 1.0
    span = WIDTH - LABEL - VALUE
    parts = []
    for index, row in enumerate(rows):
        middle = ROW * index + ROW / 2
        length = max(span * row.value / largest, 1.5)
        parts += [
            _label(row.label, middle),
            _box(LABEL, middle - 7, length, 14, row.tone),
            _text(LABEL + length + 8, middle, row.text, "value"),
        ]
    return _svg(parts, ROW * len(rows), title)


def whiskers(rows: Sequence[Whisker], title: str, zero: bool = False) -> Markup:
    """Points with intervals on one axis; `zero` draws a line at 0 and keeps it in sight."""
    ends = [end for row in rows for end in (row.low, row.high) if isfinite(end)] + [0.0] * zero
    axis = _Axis(min(ends, default=0.0), max(ends, default=1.0))
    bottom = ROW * len(rows) + 4
    parts = list(axis.grid(bottom))
    if zero:
        parts.append(_line(axis.x(0), 0, axis.x(0), bottom, "zero"))
    for index, row in enumerate(rows):
        parts += _whisker(row, axis, ROW * index + ROW / 2)
    return _svg(parts, bottom + 20, title)


def depth(points: Sequence[tuple[str, float | None]], title: str, unit: str) -> Markup:
    """A value per layer, first layer at the left; layers without one leave a gap."""
    known = [value for _, value in points if value is not None]
    if not known:
        return Markup("")
    left, right, top, bottom = 44, WIDTH - 8, 10, 170
    low, high = min(0.0, floor(min(known) / 10) * 10), ceil(max(known) / 10) * 10 or 10
    step = (right - left) / len(points)

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - low) / (high - low)

    parts = [part for tick in _ticks(low, high) for part in _level(left, right, y(tick), f"{tick:g}")]
    for index, (label, value) in enumerate(points):
        if value is None:
            continue
        x = left + step * (index + 0.5)
        parts += [
            _line(x, y(max(low, 0)), x, y(value), "stem"),
            Markup(
                '<circle class="after" cx="{:.1f}" cy="{:.1f}" r="4"><title>{}: {:.1f} {}</title></circle>'
            ).format(x, y(value), label, value, unit),
        ]
    return _svg(parts, bottom + 10, title)


class _Axis:
    def __init__(self, low: float, high: float) -> None:
        pad = (high - low) * 0.08 or 1.0
        self.low, self.high = low - pad, high + pad

    def x(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return LABEL + (WIDTH - LABEL - VALUE) * (inside - self.low) / (self.high - self.low)

    def grid(self, bottom: float) -> Iterable[Markup]:
        for tick in _ticks(self.low, self.high):
            yield _line(self.x(tick), 0, self.x(tick), bottom, "grid")
            yield _text(self.x(tick), bottom + 12, f"{tick:g}".replace("-", "−"), "tick middle")


def _whisker(row: Whisker, axis: _Axis, middle: float) -> list[Markup]:
    low, high = axis.x(row.low), axis.x(row.high)
    return [
        _label(row.label, middle),
        _line(low, middle, high, middle, f"whisker {row.tone}"),
        _line(low, middle - 5, low, middle + 5, f"whisker {row.tone}"),
        _line(high, middle - 5, high, middle + 5, f"whisker {row.tone}"),
        Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="5"/>').format(
            row.tone, axis.x(row.value), middle
        ),
        _text(WIDTH - VALUE + 14, middle, row.text, "value"),
    ]


def _ticks(low: float, high: float) -> list[float]:
    raw = (high - low) / 6
    power = 10 ** floor(log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    first, last = ceil(low / step), floor(high / step)
    return [round(index * step, 10) for index in range(first, last + 1)]


def _level(left: float, right: float, y: float, text: str) -> list[Markup]:
    return [_line(left, y, right, y, "grid"), _text(left - 8, y, text, "tick end")]


def _svg(parts: Iterable[Markup], height: float, title: str) -> Markup:
    inside = Markup("").join(parts)
    return Markup('<svg viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, title, inside
    )


def _label(text: str, y: float) -> Markup:
    short = text if len(text) <= 30 else f"…{text[-29:]}"
    return Markup('<text class="label" x="0" y="{:.1f}">{}<title>{}</title></text>').format(y, short, text)


def _text(x: float, y: float, text: str, kind: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(kind, x, y, escape(text))


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
        kind, x1, y1, x2, y2
    )


def _box(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="3"/>').format(
        kind, x, y, width, height
    )
