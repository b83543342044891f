"""One bar a layer: what it was, what it is now, and where the figures come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from csv import writer as csv_writer
from dataclasses import dataclass
from io import StringIO

from studio.gui.layers.rows import Row
from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.metrics import ESTIMATED, HERE, on_board


@dataclass(frozen=True, slots=True)
class Bar:
    """One layer. `before` is as in the original, `after` as now; None where it is not known or has no such
    thing. `low` and `high` are the interval of `after`."""

    layer: str
    before: float | None
    after: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """What bars can show: how it is called, written, made of a row, and what to do where there is none."""

    title: str
    write: Callable[[float], str]
    bar: Callable[[Row, Mapping[str, tuple[float, float]]], Bar]
    missing: str


def bars(kind: str, rows: Sequence[Row], macs: Mapping[str, tuple[float, float]]) -> tuple[Bar, ...]:
    """In graph order. `macs` holds MACs before and now by layer."""
    return tuple(KINDS[kind].bar(row, macs) for row in rows)


def known(found: Sequence[Bar]) -> bool:
    """Whether there is a figure to draw."""
    return any(bar.after is not None for bar in found)


def csv(found: Sequence[Bar], value: str) -> str:
    """The bars as comma-separated values with a head; the columns of values are named by `value`."""
    out = StringIO()
    writer = csv_writer(out, lineterminator="\n")
    writer.writerow(("layer", f"{value} before", f"{value} now", "low", "high", "n", "source"))
    for bar in found:
        cells = (bar.layer, bar.before, bar.after, bar.low, bar.high, bar.n, bar.source)
        writer.writerow("" if cell is None else cell for cell in cells)
    return out.getvalue()


def remark(bar: Bar, write: Callable[[float], str]) -> str:
    """A bar in a line: `conv1:  12.3 KB → 3.1 KB  ·  length in the built file`."""
    values = [write(value) for value in (bar.before, bar.after) if value is not None]
    text = f"{bar.layer}:  {' → '.join(values) or '–'}"
    if bar.low is not None and bar.high is not None:
        text += f"  [{write(bar.low)}, {write(bar.high)}]"
    said = T.plot_under.format(source=bar.source, n=bar.n) if bar.n else bar.source
    return f"{text}  ·  {said}" if said else text


def _size(row: Row, macs: Mapping[str, tuple[float, float]]) -> Bar:
    return Bar(row.name, row.before, row.after, source=T.bars_built if row.real else ESTIMATED)


def _macs(row: Row, macs: Mapping[str, tuple[float, float]]) -> Bar:
    before, after = macs.get(row.name, (None, None))
    return Bar(row.name, before, after, source=T.bars_counted if before is not None else "")


def _sensitivity(row: Row, macs: Mapping[str, tuple[float, float]]) -> Bar:
    if row.effect is None:
        return Bar(row.name, None, None)
    found = row.effect.difference
    low = None if found.high is None else -found.high
    high = None if found.low is None else -found.low
    source = f"{row.effect.setting}, {found.source}"
    return Bar(row.name, None, -found.value, low, high, found.n, source)


def _noise(row: Row, macs: Mapping[str, tuple[float, float]]) -> Bar:
    return Bar(row.name, None, row.sqnr_db, source=HERE if row.sqnr_db is not None else "")


def _time(row: Row, macs: Mapping[str, tuple[float, float]]) -> Bar:
    before = row.times.float_ms if row.times else None
    return Bar(row.name, before, row.likely_ms, source=on_board(row.timed_on) if row.times else "")


def _points(value: float) -> str:
    return f"{value:.2f} pp".replace("-", numbers.MINUS)


def _decibels(value: float) -> str:
    return f"{value:.1f} dB".replace("-", numbers.MINUS)


def _milliseconds(value: float) -> str:
    return f"{value:.3g} ms"


KINDS = {
    "size": Kind(T.card_size, numbers.size, _size, T.plot_empty),
    "macs": Kind(T.graph_macs, numbers.count, _macs, T.bars_no_macs),
    "sensitivity": Kind(T.sensitivity, _points, _sensitivity, T.bars_no_sensitivity),
    "sqnr": Kind(T.graph_noise, _decibels, _noise, T.bars_no_noise),
    "time": Kind(T.graph_time, _milliseconds, _time, T.bars_no_time),
}
