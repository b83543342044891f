"""Numbers as people read them: units, signs, intervals."""

from __future__ import annotations

from studio.metrics import Figure

MINUS = "−"


def size(count: float) -> str:
    """Bytes in decimal units: `293.8 kB`."""
    for unit, scale, digits in (("GB", 1e9, 2), ("MB", 1e6, 2), ("kB", 1e3, 1)):
        if count >= scale:
            return f"{count / scale:.{digits}f} {unit}"
    return f"{count:.0f} B"


def number(count: float | None) -> str:
    """A count with thin separators; an en dash where it is not known."""
    return "–" if count is None else f"{count:,.0f}".replace(",", "\u2009")


def signed(value: float, digits: int = 2) -> str:
    """With its sign, a true minus; nothing before a zero."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{MINUS if value < 0 else '+'}{text}"


def percent(value: float, digits: int = 2) -> str:
    """A value that is in percent already."""
    return f"{value:.{digits}f} %"


def figure(found: Figure) -> str:
    """The value with its unit."""
    if found.unit == "pp":
        return f"{signed(found.value)} pp"
    return percent(found.value) if found.unit == "%" else f"{found.value:.3g} {found.unit}".strip()


def interval(found: Figure) -> str:
    """The 95 % interval; "" where there is none, or where it holds nothing but the value."""
    if found.low is None or found.high is None or found.low == found.high:
        return ""
    if found.unit == "pp":
        return f"{signed(found.low)} … {signed(found.high)}"
    return f"{found.low:.2f} … {found.high:.2f}"


def milliseconds(value: float) -> str:
    """Three significant digits: `0.234 ms`, `12.3 ms`."""
    return f"{value:.3g} ms" if value < 1000 else f"{value / 1000:.3g} s"


def share(value: float, digits: int = 1) -> str:
    """A fraction of 1 as percent."""
    return f"{100 * value:.{digits}f} %"


def change(after: float, before: float) -> str:
    """How far `after` is below or above `before`: `−73.3 %`."""
    return f"{signed(100 * (after / before - 1), 1)} %" if before else "–"
