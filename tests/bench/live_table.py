"""Results of `live.py` as bars that are met or not, and as Markdown."""

from __future__ import annotations

from typing import Any

BEGIN, END = "<!-- live: written by tests/bench/live.py -->", "<!-- end of live -->"
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
            for place, name in (("first", "first figure"), ("all", "all samples")) if tool in times else ():
                ratio = _ratio(times, tool, place)
                found.append(_at_least(f"{net}: {name} faster than {tool}'s loop, ×", ratio, bar))
    if "large" in results:
        found += _of_large(results["large"])
    if "window" in results:
        found += _of_window(results["window"])
    return found


def _of_large(found: dict[str, Any]) -> list[dict[str, Any]]:
    ours = found["times"]["ours, cut"]
    seen = ours["seen"] or float("inf")
    return [
        _at_most("ResNet-18 at 224²: first figure, ms", ours["first"], 500),
        _at_most("ResNet-18 at 224²: share of the samples until ±1 point", round(seen, 2), 0.5),
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
        f"{results['load'][1]} after; {told['threads']} threads each; commit {told['commit']}, "
        f"{told['day']}.",
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
        lines += ["", _stopped(results["large"])]
    return "\n".join(lines) + "\n"


def _stopped(found: dict[str, Any]) -> str:
    ours, ready = found["times"]["ours, cut"], f"Getting ready took {found['ready_s']:.0f} s."
    if not ours["seen"]:
        return f"{found['samples']:,} pictures do not tell the agreement to ±1 point. {ready}"
    return (
        f"It stops when the agreement is known to ±1 point: after {ours['all'] / 1000:.1f} s and "
        f"{ours['seen']:.0%} of the {found['samples']:,} pictures. {ready}"
    )


def _table(net: str, found: dict[str, Any]) -> list[str]:
    head = f"`{found['layer']}`, {found['behind']:.0%} of the nodes behind it, {found['samples']:,} samples"
    lines = ["", f"### {net}", "", head, ""]
    lines += [
        "| ms, medians | built | first figure | ±1 point (samples) | all | first, × ours | all, × ours |"
    ]
    lines += ["|---|---|---|---|---|---|---|"]
    for name, times in found["times"].items():
        tight = f"{times['tight']:,.0f} ({times['tight_n']:.0f})" if times.get("tight_n") else "–"
        shown = [f"{times[key]:,.0f}" for key in ("built", "first", "all")]
        ratios = " | ".join(f"{_ratio(found['times'], name, place):,.1f}" for place in ("first", "all"))
        lines.append(f"| {name} | {shown[0]} | {shown[1]} | {tight} | {shown[2]} | {ratios} |")
    return lines


def _ratio(times: dict[str, dict[str, float]], tool: str, place: str) -> float:
    return round(times[tool][place] / times["ours, cut"][place], 1)


def _at_most(bar: str, figure: float, limit: float) -> dict[str, Any]:
    return {"bar": bar, "limit": f"≤ {limit:g}", "figure": figure, "met": figure <= limit}


def _at_least(bar: str, figure: float, limit: float) -> dict[str, Any]:
    return {"bar": bar, "limit": f"≥ {limit:g}", "figure": figure, "met": figure >= limit}
