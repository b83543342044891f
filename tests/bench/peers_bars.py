"""The bars that our passes are held to, each worked out of the results: figure, and met or not.

A peer's best figure is the best that any of its rows reaches, whichever row that is: the most accurate,
the fastest and the smallest may be three different files, and rows that lost their accuracy count too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from peers_figures import difference, ratio

Row = dict[str, Any]
AHEAD = {"depthwise": 0.5, "spread": 2.0}
SECONDS, LATENCY, PEERS_SLOWER, OWN_LATENCY, OWN_BYTES, PRUNED = 2.0, 1.05, 5.0, 1.1, 0.55, 0.75
SMALL = 20_000_000  # multiply-accumulates: the bar for seconds is for nets of the size of those trained here
CONV_FREE = ("transformer", "magika")


def bars(nets: dict[str, Any]) -> list[Row]:
    """One entry per bar and net: `net`, `bar`, `figure`, `met`."""
    found: list[Row] = []
    for net, results in nets.items():
        if "rows" in results:
            rows = {row["tool"]: row for row in results["rows"] if "turns" in row}
            for part in (_eight, _four, _pruned):
                found += ({"net": net, **each} for each in part(net, rows, results["samples"]))
    return found


def _bar(text: str, figure: str, met: bool) -> Row:
    return {"bar": text, "figure": figure, "met": bool(met)}


def _peers(rows: dict[str, Row], bits: int) -> list[Row]:
    return [row for row in rows.values() if row["bits"] == bits and row["of"] != "ours"]


def _best(rows: list[Row], key: Callable[[Row], float]) -> tuple[Row, float]:
    """The row of the least `key`, and that key."""
    best = min(rows, key=key)
    return best, key(best)


def _eight(net: str, rows: dict[str, Row], samples: int) -> Iterator[Row]:
    ours, peers = rows.get("ours, int8"), _peers(rows, 8)
    if ours is None:
        return
    if peers:
        yield _accuracy("8 bits", rows, ours, peers, -0.1, samples)
        best, least = _best(peers, lambda row: ratio(row, ours))
        slower = 1 / least
        text = f"8 bits: latency ≤ {LATENCY} × the fastest tool's"
        yield _bar(text, f"{slower:.2f} × {best['tool']}", slower <= LATENCY)
        best, least = _best(peers, lambda row: float(row["bytes"]))
        figure = f"{ours['bytes']:,} against {best['bytes']:,} ({best['tool']})"
        yield _bar("8 bits: bytes ≤ the smallest tool's", figure, ours["bytes"] <= least)
    if net == "spread":
        drop = difference(ours, rows["float"], samples).value
        yield _bar("8 bits: top-1 within 0.3 of float", f"{drop:+.2f} points", drop >= -0.3)
    if ours["macs"] and ours["macs"] <= SMALL:
        figure = f"{ours['cpu_seconds']:.1f} s ({ours['seconds']:.1f} s on the clock)"
        # Processor time: other work on the machine does not stretch it, and a quiet clock never shows more.
        text = f"8 bits: built in under {SECONDS:g} s of processor time"
        yield _bar(text, figure, ours["cpu_seconds"] < SECONDS)


def _accuracy(
    name: str, rows: dict[str, Row], ours: Row, peers: list[Row], ahead: float, samples: int
) -> Row:
    best = max(peers, key=lambda row: row["top1"])
    gap = difference(ours, best, samples)
    figure = (
        f"{ours['top1']:.2f}, {gap.value:+.2f} [{gap.low:+.2f}, {gap.high:+.2f}] against "
        f"{best['top1']:.2f} ({best['tool']})"
    )
    if best["top1"] + ahead > rows["float"]["top1"]:
        figure += f"; the bar lies above float's {rows['float']['top1']:.2f}"
    # Points are counts over samples: the tolerance only undoes the rounding of binary fractions.
    return _bar(f"{name}: top-1 ≥ the best tool's {ahead:+g}", figure, gap.value >= ahead - 1e-9)


def _four(net: str, rows: dict[str, Row], samples: int) -> Iterator[Row]:
    ours, eight, peers = rows.get("ours, w4"), rows.get("ours, int8"), _peers(rows, 4)
    if ours is None or eight is None:
        return
    if peers:
        yield _accuracy("4 bits", rows, ours, peers, AHEAD.get(net, 0.0), samples)
        if net not in CONV_FREE:
            best, least = _best(peers, lambda row: ratio(row, ours))
            text = f"4 bits: ≥ {PEERS_SLOWER:g} times faster than any tool's 4-bit file"
            yield _bar(text, f"{least:.2f} times ({best['tool']})", least >= PEERS_SLOWER)
    slower = ratio(ours, eight)
    text = f"4 bits: latency ≤ {OWN_LATENCY} × our 8-bit file's"
    yield _bar(text, f"{slower:.2f} ×", slower <= OWN_LATENCY)
    limit = OWN_BYTES * eight["bytes"] + ours["float_bytes"]
    figure = f"{ours['bytes']:,} against {limit:,.0f} ({ours['bytes'] / eight['bytes']:.2f} × our 8-bit file)"
    text = f"4 bits: bytes ≤ {OWN_BYTES} × our 8-bit file + what stays float"
    yield _bar(text, figure, ours["bytes"] <= limit)


def _pruned(net: str, rows: dict[str, Row], samples: int) -> Iterator[Row]:
    for name, whole in (("ours, prune 30 %", "float"), ("ours, prune 30 % + int8", "ours, int8")):
        if name not in rows or whole not in rows:
            continue
        pruned, before = rows[name], rows[whole]
        shares = [pruned["macs"] / before["macs"], pruned["bytes"] / before["bytes"], ratio(pruned, before)]
        figure = "MACs {:+.1%}, bytes {:+.1%}, latency {:+.1%}".format(*(share - 1 for share in shares))
        text = f"30 % of the channels: all three down by ≥ 25 % ({whole})"
        yield _bar(text, figure, max(shares) <= PRUNED)
        drop = difference(pruned, before, samples).value
        text = f"30 % of the channels: top-1 within 2 points ({whole})"
        yield _bar(text, f"{drop:+.2f} points", drop >= -2.0)
