"""The benches' results as Markdown."""

from __future__ import annotations

from typing import Any

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


def markdown(results: dict[str, Any]) -> str:
    """One table per net; failures are rows too."""
    parts = []
    for net, found in results.items():
        if net == "machine":
            continue
        load = f"Other processes used {found['load']:.2f} cores while it was timed."
        lines = [_line(_HEAD), _line(["---"] * len(_HEAD)), *(_line(_cells(row)) for row in found["rows"])]
        parts.append(f"### {net}\n\n" + "\n".join(lines) + f"\n\n{load}\n")
    return "\n".join(parts)


def _line(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(row: dict[str, Any]) -> list[str]:
    if "failed" in row:
        return [row["tool"], row["failed"], *[""] * (len(_HEAD) - 2)]
    return [
        row["tool"],
        f"{row['top1']:.2f}",
        f"{row['agreement']:.2f}",
        f"{row['bytes']:,}",
        f"{row['macs'] / 1e6:.2f}" if row["macs"] else "",
        f"{row['p50']:.3f}",
        f"{row['of float']:.2f}",
        f"{row['of ours, int8']:.2f}" if "of ours, int8" in row else "",
        ", ".join(f"{count} {op}" for op, count in row["float_kernels"].items()) or "–",
        str(row["pairs"]),
        f"{row['seconds']:.1f} ({row['cpu_seconds']:.1f})" if "seconds" in row else "",
        f"{row['peak_mb']:.0f} ({row['base_mb']:.0f})" if "peak_mb" in row else "",
    ]
