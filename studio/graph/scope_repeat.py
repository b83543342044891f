"""Scopes for what has none: repeated blocks of nameless nodes, and runs of equal siblings in tens.

400 equal blocks in one scope are shown as 20 boxes of 20; a network without names is searched for
a sequence of ops that comes again and again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from math import ceil, sqrt

from studio.graph.cards import Card

Scope = tuple[str, ...]
CROWD = 40
RUN = 12
GRAM = 6
ROUNDS = 8
_TO = " – "


def scopes(cards: Sequence[Card], after: Sequence[Sequence[int]], deepest: int) -> list[Scope]:
    """The scope of every card, made-up parts included; `after[i]` lists what card i feeds."""
    paths = [card.scope[:deepest] for card in cards]
    nameless = [at for at, path in enumerate(paths) if not path]
    if len(nameless) > CROWD and len(nameless) > len(cards) / 2:
        for number, block in enumerate(_blocks(cards, after), 1):
            for at in block:
                if not paths[at]:
                    paths[at] = (f"block {number}",)
    ops = [card.op for card in cards]
    stack: list[tuple[list[int], int]] = [(list(range(len(cards))), 0)]
    while stack:
        members, depth = stack.pop()
        stack += _gather(members, depth, paths, ops)
    return paths


def _gather(
    members: list[int], depth: int, paths: list[Scope], ops: list[str]
) -> list[tuple[list[int], int]]:
    """Put runs of equal siblings at `depth` into a scope of their own; the scopes one level down."""
    groups: dict[str, list[int]] = {}
    single = 0
    for at in members:
        if len(paths[at]) > depth:
            groups.setdefault(paths[at][depth], []).append(at)
        else:
            single += 1
    children = list(groups.items())
    if len(children) + single > CROWD:
        looks = [tuple(ops[at] for at in group) for _, group in children]
        for first, last in _runs(looks):
            step = ceil(sqrt(last - first))
            for low in range(first, last, step):
                _wrap(children[low : min(low + step, last)], depth, paths)
    return [(group, depth + 1) for _, group in children if len(group) > CROWD]


def _runs(looks: list[tuple[str, ...]]) -> list[tuple[int, int]]:
    runs, first = [], 0
    for at in range(1, len(looks) + 1):
        if at == len(looks) or looks[at] != looks[first]:
            if at - first >= RUN:
                runs.append((first, at))
            first = at
    return runs


def _wrap(children: list[tuple[str, list[int]]], depth: int, paths: list[Scope]) -> None:
    first, last = children[0][0], children[-1][0]
    if first == last:
        return
    for _, group in children:
        for at in group:
            paths[at] = (*paths[at][:depth], _span(first, last), *paths[at][depth:])


def gathered(part: str) -> bool:
    """Whether a part of a scope was made up here to hold several siblings."""
    return _TO in part


def _span(first: str, last: str) -> str:
    """`block 1`, `block 20` → `block 1 – 20`."""
    word, space, number = last.rpartition(" ")
    same = bool(space) and first.startswith(word + space)
    return f"{first}{_TO}{number if same else last}"


def _blocks(cards: Sequence[Card], after: Sequence[Sequence[int]]) -> list[range]:
    """Stretches of cards (in graph order) whose ops repeat at least three times, in order."""
    ops = [card.title for card in cards]
    over = _lines_over(len(cards), after)
    blocks: list[range] = []
    open_ = [(0, len(cards))]
    for _ in range(ROUNDS):
        found = [(_period(ops, low, high), low, high) for low, high in open_ if high - low >= 3 * GRAM]
        best = max(found, key=lambda each: each[0][1], default=((0, 0, 0), 0, 0))
        (period, length, start), low, high = best
        if not period:
            break
        shift = min(range(period), key=lambda step: (over[start + step], step))
        count = (length - shift) // period
        first = start + shift
        blocks += [range(first + i * period, first + (i + 1) * period) for i in range(count)]
        open_.remove((low, high))
        open_ += [(low, first), (first + count * period, high)]
    return sorted(blocks, key=lambda block: block.start)


def _period(ops: list[str], low: int, high: int) -> tuple[int, int, int]:
    """(period, length, start) of the longest repetition in a stretch; (0, 0, 0) without any."""
    seen: dict[int, int] = {}
    gaps: Counter[int] = Counter()
    for at in range(low, high - GRAM + 1):
        gram = hash(tuple(ops[at : at + GRAM]))
        if gram in seen and at - seen[gram] >= 4:
            gaps[at - seen[gram]] += 1
        seen[gram] = at
    best = (0, 0, 0)
    for period, _ in gaps.most_common(3):
        length, start = _stretch(ops, low, high, period)
        if length >= 3 * period and length > best[1]:
            best = (period, length, start)
    return best


def _stretch(ops: list[str], low: int, high: int, period: int) -> tuple[int, int]:
    """Longest stretch in which every op comes again after `period`: (length, start)."""
    best, start = (0, low), low
    for at in range(low, high - period + 1):
        if at == high - period or ops[at] != ops[at + period]:
            if at - start:
                best = max(best, (at - start + period, start))
            start = at + 1
    return best


def _lines_over(count: int, after: Sequence[Sequence[int]]) -> list[int]:
    """For each gap before card i: how many cards above it feed cards below it."""
    steps = [0] * (count + 1)
    for at, ends in enumerate(after):
        far = max(ends, default=at)
        if far > at:
            steps[at + 1] += 1
            steps[far + 1] -= 1
    return list(accumulate(steps))
