"""Results of `live.py` as bars that are met or not, and as Markdown."""

from __future__ import annotations

from typing import Any

SMALL = ("residual", "depthwise")


def bars(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Every bar that this run can judge: its name, the figure, whether it is met."""
    found = []
    for net in (name for name in SMALL if name in results["nets"]):
        times = results["nets"][net]["times"]
        ours = times["ours, cut"]
        found.append(_at_most(f"{net}: first figure, ms", ours["first"], 50))
        found.append(_at_most(f"{net}: all samples, ms", ours["all"], 150))
        for tool, bar in (("nncf", 50), ("onnxruntime", 5)):
            if tool in times:
                found.append(_at_least(f"{net}: faster than {tool}'s loop, ×", _ratio(times, tool), bar))
    if "large" in results:
        found += _of_large(results["large"])
    if "window" in results:
        found += _of_window(results["window"])
    return found


def _of_large(found: dict[str, Any]) -> list[dict[str, Any]]:
    ours = found["times"]["ours, cut"]
    share = ours["tight_n"] / found["samples"] if ours["tight_n"] else float("inf")
    return [
        _at_most("ResNet-18 at 224²: first figure, ms", ours["first"], 500),
        _at_most("ResNet-18 at 224²: share of the samples until ±1 point", round(share, 2), 0.5),
    ]


def _of_window(found: dict[str, Any]) -> list[dict[str, Any]]:
    one = {"bar": "window: final figures after 200 events", "limit": "1", "figure": found["finals"]}
    return [
        _at_most("window: slider to repainted figure, ms", found["repainted_ms"], 100),
        _at_most("window: 10 ms timer late at worst, ms", found["late_ms"], 50),
        {**one, "met": found["finals"] == 1},
    ]


def markdown(results: dict[str, Any]) -> str:
    """The machine, the bars, a table for each net."""
    told = results["machine"]
    lines = [
        f"Machine: {told['cpu']}, {told['cores']} cores; load {results['load'][0]} before, "
        f"{results['load'][1]} after; commit {told['commit']}, {told['day']}.",
        "",
        f"    {told['command']}",
        "",
        "| met | bar | limit | figure |",
        "|---|---|---|---|",
    ]
    for bar in sorted(results["bars"], key=lambda each: each["met"]):
        met = "yes" if bar["met"] else "**no**"
        lines.append(f"| {met} | {bar['bar']} | {bar.get('limit', '')} | {bar['figure']:,.4g} |")
    for net, found in results["nets"].items():
        lines += _table(net, found)
    if "large" in results:
        lines += _table("ResNet-18's size at 224², agreement", results["large"])
    return "\n".join(lines) + "\n"


def _table(net: str, found: dict[str, Any]) -> list[str]:
    head = f"`{found['layer']}`, {found['behind']:.0%} of the nodes behind it, {found['samples']:,} samples"
    lines = ["", f"### {net}", "", head, ""]
    lines += ["| ms, medians | built | first figure | ±1 point (samples) | all | all, × ours |"]
    lines += ["|---|---|---|---|---|---|"]
    for name, times in found["times"].items():
        tight = f"{times['tight']:,.0f} ({times['tight_n']:.0f})" if times.get("tight_n") else "–"
        shown = [f"{times[key]:,.0f}" for key in ("built", "first", "all")]
        ratio = f"{_ratio(found['times'], name):,.1f}"
        lines.append(f"| {name} | {shown[0]} | {shown[1]} | {tight} | {shown[2]} | {ratio} |")
    return lines


def _ratio(times: dict[str, dict[str, float]], tool: str) -> float:
    return round(times[tool]["all"] / times["ours, cut"]["all"], 1)


def _at_most(bar: str, figure: float, limit: float) -> dict[str, Any]:
    return {"bar": bar, "limit": f"≤ {limit:g}", "figure": figure, "met": figure <= limit}


def _at_least(bar: str, figure: float, limit: float) -> dict[str, Any]:
    return {"bar": bar, "limit": f"≥ {limit:g}", "figure": figure, "met": figure >= limit}
