"""Aligned plain-text tables and short forms of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from studio.metrics import Figure


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; columns of numbers are flush right."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    right = [bool(rows) and all(_is_number(row[at]) for row in rows) for at in range(len(head))]
    lines = [_line(row, widths, right) for row in cells]
    return "\n".join([lines[0], "  ".join("─" * width for width in widths), *lines[1:]])


def pairs(items: Sequence[tuple[str, str]]) -> str:
    """Names and values, values below each other."""
    width = max(len(name) for name, _ in items)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in items)


def size(count: float) -> str:
    """Bytes in decimal units with three digits: `1.10 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.3g} {unit}"


def count(number: int | None) -> str:
    """A whole number with thin separators; `–` where it is not known."""
    return "–" if number is None else f"{number:,}"


def figure(value: Figure, signed: bool = False) -> str:
    """A figure with unit, interval and sample count."""
    unit = f" {value.unit}" if value.unit else ""
    sign = "+" if signed else ""
    text = f"{value.value:{sign}.2f}{unit}"
    if value.low is not None and value.high is not None:
        text += f"  [{value.low:{sign}.2f}, {value.high:{sign}.2f}]"
    return f"{text}  n = {value.n:,}" if value.n else text


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if flush else cell.ljust(width)
        for cell, width, flush in zip(row, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip()


def _is_number(cell: str) -> bool:
    return cell == "–" or cell.lstrip("+-−").replace(",", "")[:1].isdigit()
