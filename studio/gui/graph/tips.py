"""What a box says when the pointer rests on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape

from studio.graph.model import Facts, NodeFact, TensorFact
from studio.graph.scopes import Box
from studio.gui.graph.heat import Figures
from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.metrics import CodedRange

MOST_ROWS = 6


_CHANGES = {"removed": T.tip_removed, "inserted": T.tip_inserted, "changed": T.tip_changed}


def tip(box: Box, facts: Facts, figures: Figures | None, change: str = "") -> str:
    """Rich text for a tool tip: name, op, shapes, figures; names from the file are escaped."""
    if box.kind in ("input", "output"):
        return _page(f"{box.kind} {box.title}", [("shape", box.subtitle or "unknown")])
    members = [facts.nodes[node] for node in box.members]
    rows = [("op", _ops(members)), ("change", _CHANGES.get(change, ""))]
    if box.kind == "card":
        rows += _shapes(members, facts, figures.ranges if figures is not None else {})
    rows += _figures(members)
    if figures is not None and len(box.layers) == 1:
        rows += _settings(box.layers[0], figures)
    if box.scope:
        rows.append(("scope", " / ".join(box.scope)))
    name = members[0].name if box.kind == "card" else box.title
    return _page(name, rows)


def _page(title: str, rows: list[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td style='padding-right:10px'>{escape(label)}</td><td>{escape(_clip(text))}</td></tr>"
        for label, text in rows
        if text
    )
    return f"<b>{escape(_clip(title))}</b><table cellspacing='0'>{lines}</table>"


def _ops(members: list[NodeFact]) -> str:
    counts: dict[str, int] = {}
    for node in members:
        counts[node.op] = counts.get(node.op, 0) + 1
    named = [f"{op} ×{count}" if count > 1 else op for op, count in counts.items()]
    rest = f" and {len(named) - MOST_ROWS} more" if len(named) > MOST_ROWS else ""
    return ", ".join(named[:MOST_ROWS]) + rest


def _shapes(members: list[NodeFact], facts: Facts, ranges: Mapping[str, CodedRange]) -> list[tuple[str, str]]:
    known = facts.tensor_of
    made = {name for node in members for name in node.outputs}
    inside = Counter(name for node in members for name in dict.fromkeys(node.inputs))
    inputs = [name for node in members for name in node.inputs if name not in made]
    outputs = [name for name in made if name and (name not in inside or facts.uses[name] > inside[name])]
    sides = (("in", inputs[:MOST_ROWS]), ("out", outputs[:MOST_ROWS]))
    return [
        (side, _tensor(name, known) + _range(ranges.get(name)))
        for side, names in sides
        for name in dict.fromkeys(names)
    ]


def _range(held: CodedRange | None) -> str:
    """What calibration found, where the tensor is held as codes: `, −1.2 … 5.6 in 256 levels`."""
    if held is None:
        return ""
    low, high = (f"{end:.3g}".replace("-", numbers.MINUS) for end in (held.low, held.high))
    return ", " + T.given_range_text.format(low=low, high=high, levels=held.levels)


def _tensor(name: str, known: dict[str, TensorFact]) -> str:
    fact = known.get(name)
    if fact is None:
        return f"{name}: shape unknown"
    shape = "unknown" if fact.shape is None else "×".join("?" if d is None else str(d) for d in fact.shape)
    return f"{shape or 'scalar'} {fact.dtype.lower()}"


def _figures(members: list[NodeFact]) -> list[tuple[str, str]]:
    params = sum(node.params for node in members)
    size = sum(node.bytes for node in members)
    macs = [node.macs for node in members if node.macs is not None]
    rows = [("params", f"{params:,}")] if params else []
    rows += [("size", numbers.size(size))] if size else []
    return rows + ([("MACs", numbers.count(sum(macs)))] if macs and sum(macs) else [])


def _settings(layer: str, figures: Figures) -> list[tuple[str, str]]:
    if layer not in figures.facts.by_name:
        return []
    rows = [("bits", str(figures.bits(layer)))]
    if figures.sparsity(layer) > 0:
        rows.append(("sparsity", f"{figures.sparsity(layer):.0%}"))
    group = figures.facts.group_of.get(figures.facts.by_name[layer].group)
    if group is not None and len(group.members) > 1:
        rows.append(("group", ", ".join(group.members[:MOST_ROWS])))
    plan = figures.plan.get(layer)
    return rows + [("refused", str(refusal)) for refusal in (plan.refused if plan else ())]


def _clip(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:80]}…{text[-79:]}"
