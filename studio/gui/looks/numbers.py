"""Numbers as the window writes them: short, aligned, with a real minus sign."""

from __future__ import annotations

from studio.metrics import Figure

MINUS = "−"
_SIZES = ("B", "KB", "MB", "GB", "TB")
_COUNTS = ("", "K", "M", "G", "T")


def size(count: float) -> str:
    """Bytes in decimal units, three digits that matter: 7.94 MB."""
    return _scaled(count, _SIZES, " ")


def count(number: float) -> str:
    """A count in decimal units: 65.5K."""
    return _scaled(number, _COUNTS, "")


def whole(number: int) -> str:
    """Every digit, in groups of three: 6 000."""
    return f"{number:,}".replace(",", " ")


def signed(value: float, digits: int) -> str:
    """A value with its sign, plus included; zero has none."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{MINUS if value < 0 else '+'}{text}"


def percent(fraction: float) -> str:
    """A share as whole per cent."""
    return f"{fraction * 100:.0f} %"


def change(before: float, after: float) -> str:
    """How much smaller or larger: −67 %."""
    if before <= 0:
        return ""
    share = (after - before) / before * 100
    return f"{signed(share, 0 if abs(share) >= 1 else 1)} %"


def value(figure: Figure) -> str:
    """The figure with its unit."""
    if figure.unit == "bytes":
        return size(figure.value)
    if figure.unit == "pp":
        return f"{signed(figure.value, 2)} pp"
    return f"{figure.value:.2f} {figure.unit}".strip()


def interval(figure: Figure) -> str:
    """Half the width of the interval as ± text, or "" where there is none."""
    if figure.low is None or figure.high is None:
        return ""
    return f"± {(figure.high - figure.low) / 2:.2f}"


def _scaled(number: float, units: tuple[str, ...], gap: str) -> str:
    step = 0
    while abs(number) >= 999.5 and step < len(units) - 1:
        number, step = number / 1000, step + 1
    digits = 0 if step == 0 or abs(number) >= 99.95 else 1 if abs(number) >= 9.995 else 2
    return f"{number:.{digits}f}{gap}{units[step]}".rstrip()
