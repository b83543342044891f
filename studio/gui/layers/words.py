"""What the layer table says in tool tips and to assistive technology."""

from __future__ import annotations

from studio.gui.layers.rows import Row
from studio.gui.looks import numbers
from studio.gui.texts.texts import T


def width_name(bits: int) -> str:
    """FP32, FP16, INT8, …"""
    return {32: T.float32, 16: T.float16}.get(bits) or T.integer.format(bits=bits)


def tip(row: Row, column: str) -> str:
    """The tool tip of a cell; refusals come first, for they need an answer."""
    lines = [T.tip_locked] if row.locked and column == "NAME" else []
    lines += [T.tip_refused.format(what=each) for each in _refusals(row, column)]
    if column == "SPARSITY":
        lines += _sparsity_lines(row)
    elif column == "BYTES" and not row.real:
        lines.append(T.tip_estimate)
    elif column == "TIME" and row.times:
        lines += _time_lines(row)
    elif column == "EFFECT" and row.effect:
        effect = row.effect
        value = f"{numbers.value(effect.difference)} {numbers.interval(effect.difference)}".rstrip()
        lines.append(T.tip_effect.format(setting=effect.setting, value=value, n=effect.difference.n))
    return "\n".join(lines) or (row.name if column == "NAME" else "")


def access(row: Row, column: str) -> str:
    """What a screen reader says for a painted cell, "" where the text of the cell is enough."""
    if column == "BITS":
        return T.access_bits.format(layer=row.name, value=width_name(row.bits))
    if column == "SPARSITY":
        return T.access_sparsity.format(layer=row.name, value=numbers.percent(row.sparsity))
    if column == "TIME":
        return ", ".join(_time_lines(row))
    return ""


def milliseconds(value: float | None) -> str:
    """Three digits, for layers take microseconds; a dash where it is not known."""
    return "–" if value is None else f"{value:.3f}"


def _time_lines(row: Row) -> list[str]:
    times = row.times
    if times is None:
        return []
    plain, eight = milliseconds(times.float_ms), milliseconds(times.int8_ms)
    said = T.tip_time.format(board=row.timed_on, plain=plain, eight=eight)
    return [T.tip_time_loses, said] if times.loses else [said]


def _refusals(row: Row, column: str) -> list[str]:
    mine = {"BITS": ("bits", "activations"), "SPARSITY": ("sparsity", "structure")}
    wanted = mine.get(column, ())
    return [str(each) for each in row.refused if each.setting in wanted or column == "NAME"]


def _sparsity_lines(row: Row) -> list[str]:
    how = T.tip_channels if row.prunable else T.tip_unstructured.format(why=row.why_not_prunable).rstrip()
    group = [T.tip_group.format(names=", ".join(row.members))] if row.shared else []
    return [how, *group]
