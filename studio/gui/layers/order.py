"""The order of the table's lines: filtered, sorted by a column, under their scopes where that is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.gui.layers.groups import Group
from studio.gui.layers.model import Column, sort_value
from studio.gui.layers.rows import Row

Line = int | str  # the place of a layer, or the name of the scope whose head stands here


@dataclass(frozen=True, slots=True)
class Wish:
    """How the table is to be. `column` None: in graph order; `words` must all be in name, op or group."""

    column: Column | None = None
    falling: bool = False
    words: tuple[str, ...] = ()
    grouped: bool = False
    shut: frozenset[str] = frozenset()


def lines(rows: Sequence[Row], scopes: Mapping[str, str], wish: Wish) -> list[Line]:
    """Places in `rows`, and heads of `scopes` (by layer), as they follow each other. A search opens what
    is shut.
    """
    shown = [place for place, row in enumerate(rows) if _holds(row, wish.words)]
    if not wish.grouped:
        return list(_sorted(shown, wish, lambda place: rows[place]))
    found: list[Line] = []
    members: dict[Line, list[int]] = {}
    for place in shown:
        members.setdefault(scopes.get(rows[place].name, place), []).append(place)
    heads = {
        key: Group(key, tuple(rows[place] for place in places)) if isinstance(key, str) else rows[places[0]]
        for key, places in members.items()
    }
    for key in _sorted(list(members), wish, heads.__getitem__):
        found.append(key)
        if isinstance(key, str) and (key not in wish.shut or wish.words):
            found += _sorted(members[key], wish, lambda place: rows[place])
    return found


def count(rows: Sequence[Row], wish: Wish) -> int:
    """How many rows a search finds."""
    return sum(_holds(row, wish.words) for row in rows)


def _sorted(keys: list[Any], wish: Wish, of: Any) -> Iterable[Any]:
    if wish.column is None:
        return keys
    column = wish.column
    return sorted(keys, key=lambda key: sort_value(of(key), column), reverse=wish.falling)


def _holds(row: Row, words: tuple[str, ...]) -> bool:
    held = f"{row.name} {row.op} {row.group}".lower() if words else ""
    return all(word in held for word in words)
