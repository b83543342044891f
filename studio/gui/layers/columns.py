"""How wide the columns of the layer table are: names whole where there is room, sliders take what is left."""

from __future__ import annotations

from studio.gui.layers.model import Column

_NAME_LEAST, _NAME_FAIR = 150, 190
_ALWAYS = {Column.BYTES: 148, Column.BITS: 164, Column.SPARSITY: 132}
_EFFECT, _PARAMS, _OP, _SQNR, _TIME = 104, 72, 62, 86, 146
_MOST = {Column.BITS: 320, Column.SPARSITY: 340}


def widths(
    room: int, name: int, effects: bool, noise: bool = False, times: bool = False
) -> dict[Column, int]:
    """Width of every column in a table `room` pixels wide; 0 hides it.

    `name` is what the longest layer name needs. Effects, times, noise, parameters and op come in that order,
    each only where the name keeps a fair share; what is left then goes to the sliders, half and half.
    """
    fair = min(max(name, _NAME_LEAST), _NAME_FAIR)
    made = dict.fromkeys(Column, 0) | _ALWAYS
    left = room - sum(_ALWAYS.values())
    known = {Column.EFFECT: effects, Column.SQNR: noise, Column.TIME: times}
    order = (
        *((Column.EFFECT, _EFFECT), (Column.TIME, _TIME), (Column.SQNR, _SQNR)),
        *((Column.PARAMS, _PARAMS), (Column.OP, _OP)),
    )
    for column, width in order:
        wanted = known.get(column, True)
        if wanted and left - width >= fair:
            made[column] = width
            left -= width
    made[Column.NAME] = min(left, max(name, _NAME_LEAST))
    left -= made[Column.NAME]
    for column, most in _MOST.items():
        more = min(left // 2 if column == Column.BITS else left, most - made[column])
        made[column] += max(more, 0)
        left -= max(more, 0)
    made[Column.NAME] += max(left, 0)
    return made
