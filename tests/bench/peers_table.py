"""The benches' results as Markdown: machine, bars, one table per net; and into a document between marks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from peers_figures import ratio

_HEAD = (
    "tool",
    "top-1 %",
    "agrees with float %",
    "bytes",
    "M MACs",
    "ms p50",
    "× float",
    "× our int8",
    "float kernels",
    "Q/DQ left",
    "seconds (of CPU)",
    "peak MB (imports)",
)
BEGIN, END = "<!-- results: written by tests/bench/quantizers.py -->", "<!-- end of results -->"


def publish(path: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Put `text` between the marks of the document at `path`; ValueError where they are missing."""
    head, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"{path} has no marks {begin} … {end}")
    path.write_text(f"{head}{begin}\n\n{text}\n{end}{tail}", encoding="utf-8")


def document(results: dict[str, Any]) -> str:
    """Everything that one run has found; failures and what was left out are told too."""
    nets = [_net(net, found) for net, found in results["nets"].items()]
    return "\n".join((_machine(results["machine"]), _bars(results["bars"]), *nets))


def _machine(machine: dict[str, Any]) -> str:
    ours = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    peers = "; ".join(", ".join(f"{name} {v}" for name, v in each.items()) for each in machine["peers"])
    vnni = (
        "with VNNI"
        if machine["vnni"]
        else ("**without VNNI**: products of uint8 and int8 saturate unless weights keep to 7 bits")
    )
    return (
        f"Machine: {machine['cpu']}, {machine['cores']} cores ({', '.join(machine['flags'])}), {vnni}; "
        f"{machine['system']}, Python {machine['python']}; {ours}; peers: {peers or 'none'}. "
        f"Ours made for `{machine['target']}`, {machine['day']}.\n"
    )


def _bars(bars: list[dict[str, Any]]) -> str:
    """Met and not met, those not met first."""
    met = sum(bar["met"] for bar in bars)
    lines = [f"### The bars: {met} of {len(bars)} met\n", *_table(("met", "net", "bar", "figure"))]
    ordered = sorted(bars, key=lambda bar: bar["met"])
    lines += (
        _line(("yes" if bar["met"] else "**no**", bar["net"], bar["bar"], bar["figure"])) for bar in ordered
    )
    return "\n".join(lines) + "\n"


def _net(net: str, found: dict[str, Any]) -> str:
    if "skipped" in found:
        return f"### {net}\n\nLeft out: {found['skipped']}.\n"
    rows = {row["tool"]: row for row in found["rows"]}
    lines = [*_table(_HEAD), *(_line(_cells(row, rows)) for row in found["rows"])]
    said = (
        f"{found['samples']:,} samples, commit {found.get('commit', 'not noted')}. "
        f"Other processes used {found['load']:.2f} cores while it was timed."
    )
    return f"### {net}\n\n" + "\n".join(lines) + f"\n\n{said}\n"


def _table(head: tuple[str, ...]) -> list[str]:
    return [_line(head), _line(["---"] * len(head))]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(row: dict[str, Any], rows: dict[str, Any]) -> list[str]:
    if "failed" in row:
        return [row["tool"], row["failed"].replace("|", "\\|"), *[""] * (len(_HEAD) - 2)]
    return [
        row["tool"],
        f"{row['top1']:.2f}",
        f"{row['agreement']:.2f}",
        f"{row['bytes']:,}",
        f"{row['macs'] / 1e6:.2f}" if row["macs"] else "",
        f"{row['p50']:.3f}",
        _times(row, rows.get("float")),
        _times(row, rows.get("ours, int8")),
        ", ".join(f"{count} {op}" for op, count in row["float_kernels"].items()) or "–",
        str(row["pairs"]),
        f"{row['seconds']:.1f} ({row['cpu_seconds']:.1f})" if "seconds" in row else "",
        f"{row['peak_mb']:.0f} ({row['base_mb']:.0f})" if "peak_mb" in row else "",
    ]


def _times(row: dict[str, Any], other: dict[str, Any] | None) -> str:
    return f"{ratio(row, other):.2f}" if other and "turns" in other else ""
